"""A robot driven to poses for calibration: through its seam, so its guard stays in charge."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Thread
from typing import Literal, TypeVar

import numpy as np

from agent.episode import Action, Observation, Reading, RobotCard, Task, Uint8Array
from agent.errors import RobotFault, UsageError
from agent.protocols import Robot
from calibration.rigid import Float64Array, apart, inverse, motion, rotation_vector

T = TypeVar("T")

# Rotations are told from the tool pointing straight down.
DOWN = motion([np.pi, 0.0, 0.0], np.zeros(3))
POSE_NAMES = ("tool_x_m", "tool_y_m", "tool_z_m", "tool_rx_rad", "tool_ry_rad", "tool_rz_rad")
NEAR_M, NEAR_RAD = 0.004, 0.02
STILL_M, STILL_RAD = 2e-4, 5e-4  # between two looks at rest
SLOW = 0.5  # of full scale: nobody is in a hurry beside a person
PULL = 0.6  # of what is left a step, so that it does not overshoot
PATIENCE = 12  # steps without coming nearer


@dataclass(frozen=True, slots=True)
class View:
    """tool: (4, 4) in the base, as the arm tells it. opening: 0 closed .. 1 open."""

    tool: Float64Array
    opening: float
    observation: Observation

    def picture(self, camera: str) -> Uint8Array:
        """One camera's picture (h, w, 3). Raises UsageError for a camera that is not there."""
        if camera not in self.observation.images:
            known = ", ".join(self.observation.images)
            raise UsageError(f"a camera of {known} wanted, found {camera!r}")
        return self.observation.images[camera]


class GuidedArm:
    """Drives a robot to tool poses and looks from there.

    origin_m: as in the profile's proprio. anchor: what the robot's moves start from, as there.
    """

    def __init__(
        self,
        robot: Robot,
        origin_m: tuple[float, float, float],
        anchor: Literal["measured", "last"] = "measured",
    ) -> None:
        self.robot, self._origin = robot, np.array(origin_m)
        self._opening, self._anchor = 1.0, anchor

    @property
    def card(self) -> RobotCard:
        """The robot's."""
        return self.robot.card

    def begin(self) -> View:
        """Bring the robot to its start, and look. Raises UsageError where it tells no pose."""
        missing = [name for name in POSE_NAMES if name not in self.card.proprio]
        if missing:
            raise UsageError(
                f"a robot whose proprioception has {', '.join(POSE_NAMES)} wanted, "
                f"{self.card.name} lacks {', '.join(missing)}; add them to [proprio] names"
            )
        card = self.robot.tasks()[0]
        return self._view(
            self.robot.reset(Task(card.name, card.instruction, card.train[0], 1_000_000))
        )

    def step(self, move: Float64Array, opening: float | None = None) -> tuple[Reading, View]:
        """One control step. move: (6,) m and rad along the base's axes.

        Raises RobotFault where the robot ended the episode.
        """
        self._opening = self._opening if opening is None else opening
        delta = np.clip(move / np.array(self.card.full_scale), -1.0, 1.0)
        reading = self.robot.step([Action(delta.astype(np.float32), self._opening)])
        if reading.ending is not None:
            raise RobotFault(
                f"an arm that goes on wanted, it ended: {reading.ending.reason}; what was taken is "
                "kept: run the same command again to go on"
            )
        return reading, self._view(reading.observation)

    def tool_after(self, reading: Reading) -> Float64Array:
        """The tool's pose (4, 4) after the last control step of a reading."""
        return self._pose(np.asarray(reading.track[-1], np.float64))

    def go(self, tool: Float64Array) -> View:
        """Drive towards a pose (4, 4) in a straight line, slowly, and come to rest.

        Ends near it, or where it comes no nearer: what counts is the pose measured there.
        """
        scale = np.array(self.card.full_scale)
        view = self.still()
        best, waited = np.inf, 0
        while waited < PATIENCE:
            far_m, far_rad = apart(view.tool, tool)
            if far_m < NEAR_M and far_rad < NEAR_RAD:
                break
            left = far_m + 0.1 * far_rad
            best, waited = (left, 0) if left < best - 5e-4 else (best, waited + 1)
            turn = view.tool[:3, :3] @ rotation_vector(inverse(view.tool) @ tool)
            move = PULL * np.concatenate([tool[:3, 3] - view.tool[:3, 3], turn])
            # All six are slowed alike, so that it stays on its line.
            over = float(np.abs(move / scale).max()) / SLOW
            _, view = self.step(move / max(1.0, over))
        return self.still()

    def still(self, longest: int = 40) -> View:
        """Look once the arm stands still."""
        _, before = self.step(np.zeros(6))
        view, place = before, before.tool
        for _ in range(longest):
            view = self._held(place, view)
            far_m, far_rad = apart(before.tool, view.tool)
            if far_m < STILL_M and far_rad < STILL_RAD and self._is_after(before, view):
                return view
            before = view if far_m >= STILL_M or far_rad >= STILL_RAD else before
        return view

    def meanwhile(self, work: Callable[[], T]) -> T:
        """Do work while the arm stands where it stands: a guard that hears nothing holds it.

        What the work raises is raised.
        """
        done: Future[T] = Future()
        Thread(target=_worked, args=(work, done), daemon=True).start()
        _, view = self.step(np.zeros(6))
        place = view.tool
        while not done.done():
            view = self._held(place, view)
        return done.result()

    def _held(self, place: Float64Array, view: View) -> View:
        """One control step towards a place, measured from where the arm is.

        An arm that sags by a little would creep away by a move of nothing from its measured pose.
        """
        move = np.zeros(6)
        if self._anchor == "measured":
            move[:3] = place[:3, 3] - view.tool[:3, 3]
        return self.step(move)[1]

    def rest(self) -> None:
        """Let nothing move any more."""
        self.robot.rest()

    def _is_after(self, before: View, view: View) -> bool:
        """Whether the picture was taken when the arm stood already."""
        return view.observation.time_s > before.observation.time_s

    def _view(self, observation: Observation) -> View:
        told = np.asarray(observation.proprio, np.float64)
        names = self.card.proprio
        opening = float(told[names.index("opening")]) if "opening" in names else float("nan")
        return View(self._pose(told), opening, observation)

    def _pose(self, told: Float64Array) -> Float64Array:
        names = self.card.proprio
        values = np.array([told[names.index(name)] for name in POSE_NAMES])
        pose = motion(values[3:], np.zeros(3)) @ DOWN
        pose[:3, 3] = values[:3] + self._origin
        return pose


def _worked(work: Callable[[], T], done: Future[T]) -> None:
    try:
        done.set_result(work())
    except BaseException as error:
        done.set_exception(error)
