"""The arm under watch: measured moves against commanded ones, as they were when the run began."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from agent.episode import Episode
from agent.sentinel.figures import Figures, Kind
from agent.settings import SentinelSettings
from calibration.complaints import CalibrationError
from calibration.departure import departure
from calibration.motion import Float64Array, Motion, Response, respond

PLACE = ("tool_x_m", "tool_y_m", "tool_z_m")
LEAST_TURN_DEG, LEAST_GAIN, LEAST_DRIFT, LEAST_LATE = 1.0, 0.02, 0.01, 0.3
BLOCKED = 2.0  # times the usual loss: such an episode tells nothing of the arm
AXES = "xyz"


def motion_of(episode: Episode, place: Sequence[int]) -> Motion:
    """Commands and moves of an episode. place: where in proprioception the tool's x, y, z are."""
    commands = [action.delta[:3] for step in episode.steps for action in step.applied]
    by_hand = [step.by_hand for step in episode.steps for _ in step.applied]
    moves = np.diff(places_of(episode, place), axis=0)
    told = np.array(commands, np.float64).reshape(-1, 3)
    return Motion(told, moves, ~np.array(by_hand, np.bool_))


def places_of(episode: Episode, place: Sequence[int]) -> Float64Array:
    """Where the tool was (n + 1, 3) m: at the first view, and after each control step."""
    columns = list(place)
    first = [step.observation.proprio[columns] for step in episode.steps[:1]]
    track = [row[columns] for step in episode.steps for row in step.track]
    return np.array([*first, *track], np.float64).reshape(-1, 3)


class ArmWatch:
    """Compares each episode's moves with the response that the first ones had."""

    def __init__(self, settings: SentinelSettings) -> None:
        self._settings = settings
        self._figures: Figures | None = None
        self._known: Response | None = None
        self._usual = 0.0

    @property
    def ready(self) -> bool:
        """Whether the response is known."""
        return self._figures is not None

    def learn(self, motions: Sequence[Motion]) -> bool:
        """Take these as how the arm moves while all is well; False where they tell too little."""
        try:
            self._known = respond(motions)
        except CalibrationError:
            return False
        rows = [self._told(motion) for motion in motions]
        known = {
            name: [row[name] for row in rows if math.isfinite(row[name])]
            for name in self._told(motions[0])
        }
        if len(known["turn_deg"]) < 3:
            return False
        self._usual = statistics.median(known["loss"])
        self._figures = Figures(self._kinds(), known)
        return True

    def look(self, motion: Motion) -> dict[str, float]:
        """Look at one episode; gives what was measured, by figure."""
        if self._figures is None:
            return {}
        told = {n: value for n, value in self._told(motion).items() if math.isfinite(value)}
        self.take(told)
        return told

    def take(self, told: Mapping[str, float]) -> None:
        """Add what was measured in an episode to what is watched."""
        # An arm that was blocked or pushed fits nothing; a turned, weak or late one fits well.
        if self._figures is not None and told.get("loss", math.inf) < BLOCKED * self._usual:
            self._figures.take({name: each for name, each in told.items() if name != "loss"})

    def forget(self) -> None:
        """Begin to add up anew."""
        if self._figures is not None:
            self._figures.forget()

    @property
    def alarmed(self) -> str:
        """What drifted, in words; "" for nothing."""
        said = self._figures.alarmed if self._figures else ()
        return f"arm: {' and '.join(said)}" if said else ""

    @property
    def off(self) -> dict[str, float]:
        """How far each figure is off, in its unit."""
        return self._figures.off if self._figures else {}

    @property
    def share(self) -> float:
        """How near it is to an alarm: 1 is one."""
        return self._figures.share if self._figures else 0.0

    def _told(self, motion: Motion) -> dict[str, float]:
        if self._known is None:
            return {}
        found = departure(self._known, motion)
        # Metres a step become shares of the command that would move as far.
        reach = np.linalg.norm(self._known.steady, axis=1)
        told = {"turn_deg": found.turn_deg, "late_steps": found.late_steps, "loss": found.loss}
        for number, axis in enumerate(AXES):
            told[f"gain_{axis}"] = found.gain[number]
            told[f"drift_{axis}"] = found.drift_m[number] / max(float(reach[number]), 1e-9)
        return told

    def _kinds(self) -> tuple[Kind, ...]:
        settings = self._settings
        kinds = [
            Kind("turn_deg", settings.motion_turn_deg, LEAST_TURN_DEG, _turned),
            Kind("late_steps", settings.motion_late_steps, LEAST_LATE, _late),
        ]
        for axis in AXES:
            kinds.append(Kind(f"gain_{axis}", settings.motion_gain, LEAST_GAIN, _gain(axis)))
            kinds.append(Kind(f"drift_{axis}", settings.motion_drift, LEAST_DRIFT, _drift(axis)))
        return tuple(kinds)


def _turned(off: float) -> str:
    return f"its moves are turned by {off:+.1f} deg about z"


def _late(off: float) -> str:
    return f"its moves come {abs(off):.0f} control steps {'later' if off > 0 else 'earlier'}"


def _gain(axis: str) -> Callable[[float], str]:
    return lambda off: f"along {axis} it moves {100 * off:+.0f} % against before"


def _drift(axis: str) -> Callable[[float], str]:
    return lambda off: f"along {axis} it drifts by {off:+.2f} of a full command each step"
