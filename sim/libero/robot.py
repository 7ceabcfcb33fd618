"""LIBERO's simulated Panda as a Robot."""

from __future__ import annotations

import time
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agent.episode import (
    Action,
    Ending,
    Float32Array,
    Observation,
    Reading,
    RobotCard,
    Suite,
    Task,
    TaskCard,
    Terminated,
    Truncated,
)
from agent.errors import UsageError
from agent.settings import RobotSettings
from sim.libero.look import CAMERAS, Look
from sim.libero.pins import Pin
from sim.libero.shifts import ActionShift, shifts_of
from sim.libero.tasks import FRESH, STARTS, find_pin, suites, task_cards
from sim.libero.wording import worded
from sim.shifting.pixels import noisy

if TYPE_CHECKING:
    from sim.libero.sight import Sight
    from sim.libero.world import World

_PROPRIO = ("x", "y", "z", "rx", "ry", "rz", "left_finger", "right_finger")
MOST_WORLDS = 4  # scenes kept at once, half a GB each
_SCALE = (0.05, 0.05, 0.05, 0.5, 0.5, 0.5)  # m and rad a full-scale delta moves the goal by


class Libero:
    """A Panda in LIBERO, one task at a time; the scenes of the last four tasks are kept.

    The hand knows only open and closed: an opening above 0.5 opens it. Starts from FRESH on are
    not stored: LIBERO draws them anew. `Observation.privileged` holds positions (m) of what
    landmarks.LANDMARKS names, in a row.
    cameras: those to draw; () for a caller that looks at poses alone; None as the settings say.
    """

    def __init__(self, settings: RobotSettings, cameras: tuple[str, ...] | None = None) -> None:
        if cameras is None:
            named = tuple(name.strip() for name in settings.cameras.split(",") if name.strip())
            cameras = named or tuple(CAMERAS)
        unknown = set(cameras) - set(CAMERAS)
        if unknown:
            raise UsageError(f"LIBERO has no camera {sorted(unknown)}; known: {', '.join(CAMERAS)}")
        self._settings = settings
        self._cameras = cameras
        self._shifts = shifts_of(settings.shift)
        self._shift = ActionShift(self._shifts)
        self._rng = np.random.default_rng(0)  # of pixels' noise; anew at each reset
        self._world: World | None = None
        self._sight: Sight | None = None
        self._worlds: dict[Pin, World] = {}  # the one used last comes last
        self._task: Task | None = None
        self._done = True
        self._steps = 0
        self.resets = 0

    @property
    def card(self) -> RobotCard:
        """What this arm is: 20 Hz, full scale 0.05 m and 0.5 rad."""
        return RobotCard("libero", self._cameras, _PROPRIO, 20.0, _SCALE)

    @property
    def world(self) -> World:
        """The scene as it is, for those allowed to know it. Raises UsageError before a reset."""
        if self._world is None or self._task is None:
            raise UsageError("LIBERO's scene was asked for before a reset; reset it first")
        return self._world

    def tasks(self) -> tuple[TaskCard, ...]:
        """All 130 tasks; nothing is built and LIBERO need not be installed."""
        return task_cards()

    def suites(self) -> tuple[Suite, ...]:
        """The five suites; nothing is built and LIBERO need not be installed."""
        return suites()

    def reset(self, task: Task) -> Observation:
        """Go to the task's start state, settle for ten steps, and look.

        Raises UsageError for an unknown task or start, DataError for files not to be trusted.
        """
        pin = find_pin(task.name)
        if not (0 <= task.start < STARTS or task.start >= FRESH):
            raise UsageError(
                f"{task.name} has starts 0 to {STARTS - 1}, and draws those from {FRESH} on; "
                f"found {task.start}"
            )
        if task.horizon_steps < 1:
            raise UsageError(f"a horizon must be 1 step or more, not {task.horizon_steps}")
        self._done = True
        self._world = self._world_of(pin)
        self._world.reset(task.start, task.seed)
        self._shift.reset()
        self._rng = np.random.default_rng([task.seed, task.start, zlib.crc32(task.name.encode())])
        self._task, self._done, self._steps = task, False, 0
        self.resets += 1
        return self._look(self._world, task)

    def step(self, actions: Sequence[Action]) -> Reading:
        """Carry out the actions at 20 Hz, up to success or the horizon, and look.

        A delta beyond full scale or an opening beyond 0..1 is clipped and not marked as executed.
        Raises UsageError before any motion for a malformed action, before reset, or after an end.
        """
        wanted = tuple(_checked(action) for action in actions)
        if self._world is None or self._task is None or self._done:
            raise UsageError("there is no running episode; reset LIBERO before a step")
        if not wanted:
            raise UsageError("a step needs at least one action, found none")
        applied: list[Action] = []
        track = []
        ending: Ending | None = None
        for action in wanted:
            self._world.step(self._shift.apply(_command(action)))
            self._steps += 1
            applied.append(action)
            track.append(self._felt(self._world))
            ending = self._ending(self._world, self._task)
            if ending is not None:
                self._done = True
                break
        executed = [_same(asked, done) for asked, done in zip(actions, applied, strict=False)]
        executed += [False] * (len(wanted) - len(applied))
        return Reading(
            observation=self._look(self._world, self._task),
            applied=tuple(applied),
            executed=np.array(executed, dtype=np.bool_),
            track=np.stack(track),
            ending=ending,
        )

    def rest(self) -> None:
        """Nothing moves between steps: the simulated arm is always at rest."""

    def close(self) -> None:
        """Free the simulation."""
        self._done, self._task, self._world, self._sight = True, None, None, None
        while self._worlds:
            self._worlds.popitem()[1].close()

    def _world_of(self, pin: Pin) -> World:
        """Build a task's scene, or take one of those that are still there."""
        from sim.libero.world import World  # MuJoCo, which listing tasks does without

        settings, known = self._settings, self._worlds
        if pin in known:
            known[pin] = known.pop(pin)
            return known[pin]
        while len(known) >= MOST_WORLDS:
            known.pop(next(iter(known))).close()
        look = Look(settings.image_px, settings.render, settings.pictures)
        known[pin] = World(pin, self._cameras, look, settings.assets, self._shifts)
        return known[pin]

    def _felt(self, world: World) -> Float32Array:
        proprio = world.proprio()
        if self._shifts.offset:
            proprio[:2] += self._shifts.offset / np.sqrt(2.0)
        return proprio

    def _ending(self, world: World, task: Task) -> Ending | None:
        if world.succeeded():
            return Terminated("success")
        return Truncated("timeout") if self._steps >= task.horizon_steps else None

    def _look(self, world: World, task: Task) -> Observation:
        from sim.libero.landmarks import landmarks
        from sim.libero.sight import Sight

        if self._sight is None or self._sight.world is not world:
            self._sight = Sight(world)
        images, sigma = world.images(), self._shifts.noise
        if sigma:
            images = {name: noisy(image, sigma, self._rng) for name, image in images.items()}
        return Observation(
            images,
            self._felt(world),
            worded(task.instruction, round(self._shifts.paraphrase)),
            time.monotonic(),
            privileged=landmarks(self._sight),
        )


def _checked(action: Action) -> Action:
    """Bring an action into the robot's range. Raises UsageError for one that is malformed."""
    delta = np.asarray(action.delta)
    if delta.shape != (6,) or delta.dtype.kind not in "fiu":
        raise UsageError(f"a delta must be 6 numbers, found {delta.dtype} of shape {delta.shape}")
    if not (np.isfinite(delta).all() and np.isfinite(action.gripper)):
        raise UsageError("an action must be finite, found NaN or infinity; nothing was moved")
    clipped = np.clip(delta, -1.0, 1.0).astype(np.float32)
    return Action(clipped, float(np.clip(action.gripper, 0.0, 1.0)))


def _same(asked: Action, done: Action) -> bool:
    return bool(np.array_equal(asked.delta, done.delta)) and asked.gripper == done.gripper


def _command(action: Action) -> NDArray[np.float64]:
    """LIBERO's own action, (7,): -1 opens the hand, +1 closes it."""
    return np.append(action.delta.astype(np.float64), -1.0 if action.gripper > 0.5 else 1.0)
