"""The tabletop world in real time: a body with physics, tasks, start states and shifts."""

from __future__ import annotations

import math
import os
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import mujoco
import numpy as np

from agent.episode import Uint8Array
from agent.errors import UsageError
from sim.franka.body import TICK_S, Sight
from sim.franka.pose import Felt, Pose, towards
from sim.franka.shifting import after, move_of, refuse_wording
from sim.shifting.frame import opening_of
from sim.tabletop import world as tabletop
from sim.tabletop.arm import BASE_M, Float64Array
from sim.tabletop.catalog import CAMERAS, CONTROL_HZ, WISHES, Wish
from sim.tabletop.goals import met
from sim.tabletop.scene import TIMESTEP_S
from sim.tabletop.shifts import Shifts
from sim.tabletop.starts import start_of

if TYPE_CHECKING:
    from calibration.board import Board
    from sim.tabletop.eyes import Eyes

_BASE = np.array(BASE_M)
# As far as CRISP lets a target pull: beyond, it is as if the target were nearer.
_PULL_M, _PULL_RAD = 0.1, 0.5
# Targets stay so far from the shoulder, with room about all that the tasks need (0.43 to 0.75 m):
# nearer or further an arm folds up or stretches out, and a guard rightly stops the whole run.
_SHOULDER = _BASE + np.array([0.0, 0.0, 0.333])
_NEAREST_M, _FARTHEST_M = 0.425, 0.765


class TableBody:
    """The tabletop's arm. Targets and poses are in the base frame, the physics in the table's."""

    def __init__(
        self, shifts: Shifts, image_px: int, render: str, board: Board | None = None
    ) -> None:
        refuse_wording(shifts)
        # MuJoCo picks its OpenGL loader from this variable when a context is first made.
        os.environ["MUJOCO_GL"] = render
        self._shifts, self._image_px, self._render = shifts, image_px, render
        self._astray = np.array([1.0, 1.0, 0.0]) * shifts.offset / math.sqrt(2.0)
        self._world = tabletop.World(shifts, image_px, board)
        self._cleared = board is not None
        self._delay = round(shifts.delay / (CONTROL_HZ * TICK_S))
        self.reset(WISHES[0].name, 0, 0)

    def cameras(self) -> Mapping[str, float]:
        """The tabletop's two."""
        model = self._world.model
        return {name: math.radians(float(model.camera(name).fovy[0])) for name in CAMERAS}

    def painter(self) -> TablePainter:
        """Eyes with a drawing context of their own."""
        return TablePainter(self._world.model, self._image_px, self._render)

    def reset(self, task: str, start: int, seed: int) -> None:
        """Put the world at a stored start state. task: its name, or any wording of it."""
        wish = wish_of(task)
        stored = start_of(wish.name, start)
        if self._cleared:
            stored = replace(stored, placed=_out_of_the_way(stored.placed))
        if seed < 0:
            raise UsageError(f"a seed of 0 or more wanted, found {seed}")
        self._world.place(stored, seed)
        self._wish, self._began = wish, self._world.where(wish.thing)
        self._opening = 1.0
        self._due: deque[tuple[int, Callable[[], None]]] = deque()
        self._ticks, self._idle = 0, tabletop.TORQUES_EVERY
        self._home = self.felt().pose
        self._target = self._tool()
        self._asked = self._target.axes

    def follow(self, target: Pose) -> None:
        """Take a new target, shifted as an action would be."""
        asked = replace(target, position=target.position + _BASE - self._astray)
        move = move_of(asked, replace(self._tool(), axes=self._asked), self._shifts)
        self._asked = target.axes
        self._later(lambda: self._aim(move))

    def grip(self, opening: float) -> None:
        """Take a new opening."""
        self._later(lambda: self._open(opening))

    def stop(self) -> None:
        """Hold where the arm is, whatever was still to come."""
        self._due.clear()
        self._target = self._tool()
        self._asked = self._target.axes

    def tick(self) -> None:
        """Live through one substep; a new target pulls at once, as an action does."""
        while self._due and self._due[0][0] <= self._ticks:
            self._due.popleft()[1]()
        self._ticks += 1
        pulls = self._idle + 1 >= tabletop.TORQUES_EVERY
        self._idle = 0 if pulls else self._idle + 1
        self._world.live(self._opening, self._pull if pulls else None, pull=pulls)
        mujoco.mj_kinematics(self._world.model, self._world.data)

    def felt(self) -> Felt:
        """What the arm feels; under the shift `offset` its tool reads as if elsewhere."""
        world, tool = self._world, self._tool()
        place = tool.position - _BASE + self._astray
        joints, speeds = np.array(world.data.qpos[:7]), np.array(world.data.qvel[:7])
        return Felt(joints, speeds, replace(tool, position=place), world.opening)

    @property
    def home(self) -> Pose:
        """Where the tool was at the start state."""
        return self._home

    @property
    def world(self) -> tabletop.World:
        """The physics, for those who measure it."""
        return self._world

    @property
    def wish(self) -> Wish:
        """What is to be done."""
        return self._wish

    def met(self) -> bool:
        """Whether the task's goal is met, as the embedded robot judges it."""
        return met(self._world, self._wish, self._began)

    def sight(self) -> Sight:
        """Where everything is."""
        data = self._world.data
        kept = ("qpos", "mocap_pos", "mocap_quat")
        return Sight({name: np.array(getattr(data, name)) for name in kept})

    def _later(self, done: Callable[[], None]) -> None:
        if self._delay:
            self._due.append((self._ticks + self._delay, done))
        else:
            done()

    def _aim(self, move: Float64Array) -> None:
        target = after(move, replace(self._tool(), axes=self._target.axes))
        self._target = replace(target, position=within_reach(target.position))
        self._idle = tabletop.TORQUES_EVERY

    def _open(self, opening: float) -> None:
        self._opening = opening_of(opening, self._shifts)

    def _pull(self) -> None:
        pulled = towards(self._tool(), self._target, _PULL_M, _PULL_RAD)
        self._world.control.hold(pulled.position, pulled.axes)

    def _tool(self) -> Pose:
        return Pose(self._world.control.position, self._world.control.axes)


class TablePainter:
    """Draws the tabletop; belongs to one thread from first to last."""

    def __init__(self, model: mujoco.MjModel, image_px: int, render: str) -> None:
        from sim.tabletop.eyes import Eyes

        self._model, self._data = model, mujoco.MjData(model)
        self._eyes: Eyes = Eyes(model, image_px, render)
        self._drawn: Sight | None = None

    def draw(self, sight: Sight, camera: str) -> Uint8Array:
        """One picture (h, w, 3), upright RGB."""
        if sight is not self._drawn:
            for name, value in sight.parts.items():
                getattr(self._data, name)[:] = value
            mujoco.mj_kinematics(self._model, self._data)
            mujoco.mj_camlight(self._model, self._data)
            self._drawn = sight
        return self._eyes.look(self._data, camera)

    def close(self) -> None:
        """Let go of the drawing context."""
        self._eyes.close()


def within_reach(place: Float64Array) -> Float64Array:
    """The nearest place (3,) m, in the table's frame, that the arm reaches with ease."""
    arm = place - _SHOULDER
    far = float(np.linalg.norm(arm))
    if _NEAREST_M <= far <= _FARTHEST_M:
        return place
    reached: Float64Array = _SHOULDER + arm * (min(max(far, _NEAREST_M), _FARTHEST_M) / far)
    return reached


def _out_of_the_way(placed: Float64Array) -> Float64Array:
    """Where things stand (10, 3) that must not hide a board: in a row behind the arm."""
    row = np.arange(len(placed), dtype=np.float64)
    behind = np.stack([np.full_like(row, -1.2), 0.15 * row - 0.7, np.zeros_like(row)], axis=1)
    return np.asarray(behind)


def wish_of(task: str) -> Wish:
    """The task of that name or wording. Raises UsageError where there is none."""
    asked = _plain(task)
    for wish in WISHES:
        if asked in map(_plain, (wish.name, wish.instruction, *wish.paraphrases)):
            return wish
    known = "; ".join(f"{wish.name} ({wish.instruction})" for wish in WISHES)
    raise UsageError(f"no task is called {task!r} at this table; known: {known}")


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()


if not math.isclose(TICK_S, TIMESTEP_S):
    raise TypeError(f"the table lives by {TIMESTEP_S} s, not {TICK_S} s")
