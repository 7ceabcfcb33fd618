"""The tabletop behind the Robot seam: tasks, start states, shifts, endings."""

from __future__ import annotations

import os
import zlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agent.clock import now_s
from agent.episode import (
    Action,
    Ending,
    Float32Array,
    Observation,
    Reading,
    RobotCard,
    Task,
    TaskCard,
    Terminated,
    Truncated,
)
from agent.errors import RobotFault, UsageError
from agent.moves import within
from agent.settings import RobotSettings
from sim.shifting.frame import opening_of, shifted
from sim.shifting.pixels import noisy
from sim.tabletop.arm import DOWN, Float64Array, turn
from sim.tabletop.catalog import (
    CAMERAS,
    CARDS,
    CONTROL_HZ,
    FULL_SCALE,
    HELD_STEPS,
    PROPRIO,
    WISHES,
    Wish,
)
from sim.tabletop.shifts import shifts_of
from sim.tabletop.starts import start_of

if TYPE_CHECKING:
    from sim.tabletop.eyes import Eyes
    from sim.tabletop.world import World


@dataclass(slots=True)
class _Run:
    """What one episode needs to remember."""

    task: Task
    wish: Wish
    instruction: str
    began: Float64Array  # (3,) m, where the thing was
    rng: np.random.Generator
    pending: deque[Action]  # asked for, but delayed
    opening: float = 1.0  # last commanded
    steps: int = 0
    met_steps: int = 0


class Tabletop:
    """A simulated arm over a table; nothing is loaded before the first reset.

    `Reading.applied` is the request clipped to [-1, 1] and [0, 1], in the policy's own frame.
    What a shift then makes of it is the world's doing and is not reported; `executed` is False
    only where clipping changed the request.
    `Observation.privileged` holds positions (m) of what catalog.LANDMARKS names, in a row.
    cameras: those to draw; () for a caller that looks at the physics alone, which needs no EGL.
    """

    def __init__(self, settings: RobotSettings, cameras: tuple[str, ...] = CAMERAS) -> None:
        unknown = set(cameras) - set(CAMERAS)
        if unknown:
            raise UsageError(f"cameras of {CAMERAS} wanted, found {sorted(unknown)}")
        self._settings = settings
        self._cameras = cameras
        self._shifts = shifts_of(settings.shift)
        self._world: World | None = None
        self._eyes: Eyes | None = None
        self._run: _Run | None = None
        self._wish: Wish | None = None

    @property
    def card(self) -> RobotCard:
        """What this robot is."""
        return RobotCard("tabletop", self._cameras, PROPRIO, CONTROL_HZ, FULL_SCALE)

    @property
    def world(self) -> World:
        """The physics, for experts and judges of the simulator. Raises UsageError before reset."""
        if self._world is None:
            raise UsageError("the state of a world wanted, but there is none yet; call reset first")
        return self._world

    @property
    def wish(self) -> Wish:
        """What is or was last to be done. Raises UsageError before reset."""
        if self._wish is None:
            raise UsageError("a task wanted, but there is none yet; call reset first")
        return self._wish

    def tasks(self) -> tuple[TaskCard, ...]:
        """The tasks on offer, easiest first."""
        return CARDS

    def reset(self, task: Task) -> Observation:
        """Put the world at a stored start state and look.

        Raises UsageError for a task or start state that does not exist, or a number out of range.
        """
        start = start_of(task.name, task.start)
        if task.horizon_steps < 1:
            raise UsageError(f"a horizon of 1 step or more wanted, found {task.horizon_steps}")
        if task.seed < 0:
            raise UsageError(f"a seed of 0 or more wanted, found {task.seed}")
        wish = next(wish for wish in WISHES if wish.name == task.name)
        world = self._awake()
        world.place(start, task.seed)
        rng = np.random.default_rng([task.seed, task.start, zlib.crc32(task.name.encode())])
        reworded = rng.random() < self._shifts.paraphrase
        instruction = str(rng.choice(wish.paraphrases)) if reworded else task.instruction
        still = Action(np.zeros(6, np.float32), 1.0)
        self._wish = wish
        self._run = _Run(
            task=task,
            wish=wish,
            instruction=instruction,
            began=world.where(wish.thing),
            rng=rng,
            pending=deque([still] * round(self._shifts.delay)),
        )
        return self._look(self._run)

    def step(self, actions: Sequence[Action]) -> Reading:
        """Carry out the actions one control step each, up to an ending, and look once.

        Raises UsageError before any motion for no action, a malformed or a non-finite one, and
        where no episode is under way; RobotFault where the physics diverged.
        """
        run = self._running()
        held = tuple(within(action) for action in actions)
        if not held:
            raise UsageError("one action or more wanted, found none")
        executed = np.zeros(len(held), np.bool_)
        track = []
        ending: Ending | None = None
        for number, (action, asked) in enumerate(zip(held, actions, strict=True)):
            self._move(run, action)
            executed[number] = action is asked
            track.append(self._proprio(run))
            ending = self._ending(run)
            if ending is not None:
                break
        view = self._look(run)
        if ending is not None:
            self._run = None
        return Reading(view, held[: len(track)], executed, np.stack(track), ending)

    def rest(self) -> None:
        """End the episode: time stands still in this world, so the arm does not move any more."""
        self._run = None

    def close(self) -> None:
        """Let go of the drawing context and the physics. May be called twice."""
        self.rest()
        if self._eyes is not None:
            self._eyes.close()
        self._eyes = self._world = self._wish = None

    def _awake(self) -> World:
        if self._world is None:
            # MuJoCo picks its OpenGL loader from this variable when it is first imported.
            os.environ["MUJOCO_GL"] = self._settings.render
            from sim.tabletop.eyes import Eyes
            from sim.tabletop.world import World

            world = World(self._shifts, self._settings.image_px)
            if self._cameras:
                self._eyes = Eyes(world.model, self._settings.image_px, self._settings.render)
            self._world = world
        return self._world

    def _running(self) -> _Run:
        if self._run is None:
            raise UsageError("an episode under way wanted, found none; call reset first")
        return self._run

    def _move(self, run: _Run, action: Action) -> None:
        shifts = self._shifts
        run.opening = action.gripper
        run.pending.append(action)
        due = run.pending.popleft()
        move = shifted(due.delta.astype(np.float64), shifts) * FULL_SCALE
        self.world.advance(move, opening_of(due.gripper, shifts))
        run.steps += 1

    def _ending(self, run: _Run) -> Ending | None:
        from sim.tabletop.goals import met

        run.met_steps = run.met_steps + 1 if met(self.world, run.wish, run.began) else 0
        if run.met_steps >= HELD_STEPS:
            return Terminated("success")
        return Truncated("timeout") if run.steps >= run.task.horizon_steps else None

    def _proprio(self, run: _Run) -> Float32Array:
        control = self.world.control
        place = control.position
        if not np.isfinite(place).all():
            self._run = None
            raise RobotFault("a finite tool position wanted, the physics diverged; reset the robot")
        place[:2] += self._shifts.offset / np.sqrt(2.0)
        rest = [self.world.opening, run.opening]
        return np.concatenate([place, turn(control.axes @ DOWN.T), rest]).astype(np.float32)

    def _look(self, run: _Run) -> Observation:
        eyes, data = self._eyes, self.world.data
        images = {name: eyes.look(data, name) for name in self._cameras} if eyes else {}
        if self._shifts.noise:
            sigma, rng = self._shifts.noise, run.rng
            images = {name: noisy(image, sigma, rng) for name, image in images.items()}
        marks = self.world.landmarks(run.wish).ravel()
        return Observation(images, self._proprio(run), run.instruction, now_s(), marks)
