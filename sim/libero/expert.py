"""A scripted pick-and-place policy that knows every pose; it shows that tasks can be done."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from agent.episode import Action, Decision, Observation
from agent.errors import UsageError
from agent.protocols import Robot
from sim.libero.grasp import Grasp, find_grasps
from sim.libero.robot import Libero
from sim.libero.world import Pose, World

Float64Array = NDArray[np.float64]

_GAIN = 1.5  # share of the error asked for in each step; OSC alone is slower
_MOVE_M, _TURN_RAD = 0.05, 0.5  # what a delta of 1.0 stands for
_CLEAR_M = 0.03  # room kept above what is flown over
_FINGERS_STEPS = 10  # control steps in which the hand opens or closes
_STALL_STEPS = 12


class Phase(IntEnum):
    """What the hand is about; in this order, again from the start where a thing was lost."""

    HOVER = 0
    DESCEND = 1
    CLOSE = 2
    LIFT = 3
    CARRY = 4
    LOWER = 5
    OPEN = 6
    RETREAT = 7


class LiberoExpert:
    """Picks one thing up and puts it in or on its place, one action a decision.

    robot: a Libero, or whatever wraps one and shows it as `inner`.
    Knows tasks with a single goal of the form in(thing, region) or on(thing, place).
    Raises UsageError for another robot, and at the first act for another task.
    """

    def __init__(self, robot: Robot) -> None:
        inner: object = robot
        while not isinstance(inner, Libero):
            inner = getattr(inner, "inner", None)
            if inner is None:
                raise UsageError(f"the LIBERO expert drives LIBERO, not {type(robot).__name__}")
        self._robot = inner
        self._episode = -1
        self._pick: _PickAndPlace | None = None

    @property
    def adapter(self) -> str:
        """Always "expert"."""
        return "expert"

    def seed(self, seed: int) -> None:
        """Change nothing: the expert draws no random numbers."""

    def act(self, views: Sequence[Observation], temperature: float) -> tuple[Decision, ...]:
        """Give the running episode's next action. Raises UsageError for other than one view."""
        if len(views) != 1:
            raise UsageError(f"the LIBERO expert answers one view at a time, found {len(views)}")
        world = self._robot.world
        if self._pick is None or self._episode != self._robot.resets:
            self._episode = self._robot.resets
            self._pick = _PickAndPlace(world)
        decision = Decision(
            actions=(self._pick.next(world),),
            tokens=np.empty(0, dtype=np.int16),
            log_probs=np.empty(0, dtype=np.float32),
            adapter=self.adapter,
            temperature=temperature,
        )
        return (decision,)


class _PickAndPlace:
    """The state of one episode."""

    def __init__(self, world: World) -> None:
        self._relation, self._thing, self._target = _single_goal(world)
        self._tries = 0
        self._steps = self._best_step = 0
        self._best = np.inf
        self._from = world.tool().position
        self._plan(world)

    def next(self, world: World) -> Action:
        """Give the action for the world as it is now."""
        tool = world.tool()
        point = self._wanted(world, tool)
        if self._reached(tool, point):
            self._advance(world)
            point = self._wanted(world, tool)
        self._steps += 1
        return _towards(tool, point, self._grasp.angle, opening=self._opening())

    def _plan(self, world: World) -> None:
        names = (*world.movables(), *world.fixtures())
        rest = [world.surface(name) for name in names if name != self._thing]
        thing = world.surface(self._thing)
        grasps = find_grasps(thing, np.concatenate(rest), world.base())
        self._grasp: Grasp = grasps[min(self._tries, len(grasps) - 1)]
        tops = [world.surface(name)[:, 2].max() for name in world.movables()]
        self._depth = float(self._grasp.point[2] - thing[:, 2].min())
        flown_over = max(tops)
        self._hover_z = max(flown_over + _CLEAR_M, float(self._grasp.point[2]) + 0.06)
        others = [
            top for name, top in zip(world.movables(), tops, strict=True) if name != self._thing
        ]
        self._carry_z = max(
            max(others) + _CLEAR_M + self._depth, float(self._grasp.point[2]) + 0.06
        )
        self._put_z = self._release_height(world)
        self._enter(Phase.HOVER)

    def _release_height(self, world: World) -> float:
        """Height of the tool at which the thing may be let go."""
        place = world.place(self._target)
        owner = next((n for n in world.movables() if self._target.startswith(n)), None)
        if owner is None:
            return float(place[2]) + self._depth + 0.01
        cloud = world.surface(owner)
        if self._relation == "in":  # the fingers stay above the rim
            return float(cloud[:, 2].max()) + 0.02
        middle = np.linalg.norm(cloud[:, :2] - place[:2], axis=1) < 0.05
        return float(cloud[middle, 2].max()) + self._depth + 0.004

    def _wanted(self, world: World, tool: Pose) -> Float64Array:
        """Give the point the tool should be at, (3,) m."""
        grasp = self._grasp.point
        match self._phase:
            case Phase.HOVER:
                return np.append(grasp[:2], self._hover_z)
            case Phase.DESCEND | Phase.CLOSE:
                return grasp
            case Phase.LIFT:
                return np.append(grasp[:2], self._carry_z)
            case Phase.CARRY | Phase.LOWER:
                offset = tool.position[:2] - world.place(self._thing)[:2]
                above = world.place(self._target)[:2] + offset
                height = self._carry_z if self._phase is Phase.CARRY else self._put_z
                return np.append(above, height)
            case Phase.OPEN:
                return self._from
            case Phase.RETREAT:
                return np.append(self._from[:2], self._carry_z)

    def _reached(self, tool: Pose, point: Float64Array) -> bool:
        if self._phase in (Phase.CLOSE, Phase.OPEN):
            return self._steps >= _FINGERS_STEPS
        error = point - tool.position
        flat, high = float(np.linalg.norm(error[:2])), abs(float(error[2]))
        turn = float(np.linalg.norm(_turn(tool.rotation, self._grasp.angle)))
        near = {
            Phase.HOVER: flat < 0.006 and high < 0.03 and turn < 0.06,
            Phase.DESCEND: high < 0.004,
            Phase.LIFT: high < 0.015,
            Phase.CARRY: flat < 0.008,
            Phase.LOWER: high < 0.005,
            Phase.RETREAT: high < 0.02,
        }[self._phase]
        return near or self._stalled(float(np.linalg.norm(error)) + 0.1 * turn)

    def _stalled(self, error: float) -> bool:
        if error < self._best - 0.001:
            self._best, self._best_step = error, self._steps
        return self._steps - self._best_step > _STALL_STEPS

    def _advance(self, world: World) -> None:
        lost = self._phase in (Phase.LIFT, Phase.CARRY) and not self._held(world)
        if lost or self._phase is Phase.RETREAT:
            self._tries += 1
            self._plan(world)
            return
        self._enter(Phase(self._phase + 1))
        self._from = world.tool().position

    def _held(self, world: World) -> bool:
        drop = world.tool().position[2] - world.surface(self._thing)[:, 2].min()
        return bool(drop < self._depth + 0.03)

    def _enter(self, phase: Phase) -> None:
        self._phase, self._steps = phase, 0
        self._best, self._best_step = np.inf, 0

    def _opening(self) -> float:
        return 0.0 if Phase.CLOSE <= self._phase <= Phase.LOWER else 1.0


def _single_goal(world: World) -> tuple[str, str, str]:
    goal = world.goal()
    if len(goal) == 1 and len(goal[0]) == 3:
        relation, thing, target = goal[0]
        if relation in ("in", "on") and thing in world.movables():
            return relation, thing, target
    raise UsageError(
        f"the LIBERO expert puts one thing in or on its place; this task wants {goal};"
        " libero_object and libero_spatial have such tasks"
    )


def _towards(tool: Pose, point: Float64Array, angle: float, opening: float) -> Action:
    """Give a proportional step towards a point, the fingers' axis turning to `angle`."""
    move = _GAIN * (point - tool.position) / _MOVE_M
    # A long way is flown straight: the largest component is at full scale, the rest in proportion.
    move /= max(1.0, float(np.abs(move).max()))
    turn = np.clip(_GAIN * _turn(tool.rotation, angle) / _TURN_RAD, -1.0, 1.0)
    return Action(np.concatenate([move, turn]).astype(np.float32), opening)


def _turn(rotation: Float64Array, angle: float) -> Float64Array:
    """Give the rotation vector, (3,) rad, to a hand pointing down, its fingers along `angle`."""
    cos, sin = np.cos(angle), np.sin(angle)
    wanted = np.array([[cos, sin, 0.0], [sin, -cos, 0.0], [0.0, 0.0, -1.0]])
    left = wanted @ rotation.T
    axis = np.array([left[2, 1] - left[1, 2], left[0, 2] - left[2, 0], left[1, 0] - left[0, 1]])
    sine = float(np.linalg.norm(axis)) / 2
    turned = np.arctan2(sine, (np.trace(left) - 1) / 2)
    return np.asarray(axis / (2 * sine) * turned) if sine > 1e-9 else np.zeros(3)
