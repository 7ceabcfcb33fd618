"""A scripted policy that knows every pose; it shows that LIBERO's tasks can be done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from agent.episode import Action, Decision, Observation
from agent.errors import UsageError
from agent.protocols import Robot
from sim.libero.carry import Carry
from sim.libero.drawer import Drawer
from sim.libero.goals import ORDER, Goal, next_goal, read_goals
from sim.libero.knob import Knob
from sim.libero.motion import Move, action
from sim.libero.push import is_slid
from sim.libero.robot import Libero
from sim.libero.sight import Sight


class Skill(Protocol):
    """Something the hand can do; busy: it must not be left now, though its goal may hold."""

    busy: bool

    def next(self, sight: Sight) -> Move:
        """Give the move for the scene as it is now."""
        ...


class LiberoExpert:
    """Does LIBERO's tasks goal by goal, one action a decision.

    robot: a Libero, or whatever wraps one and shows it as `inner`.
    Raises UsageError for another robot, and at the first act for a task with a goal it cannot do.
    """

    def __init__(self, robot: Robot) -> None:
        inner: object = robot
        while not isinstance(inner, Libero):
            inner = getattr(inner, "inner", None)
            if inner is None:
                raise UsageError(f"the LIBERO expert drives LIBERO, not {type(robot).__name__}")
        self._robot = inner
        self._episode = -1
        self._sight: Sight | None = None
        self._goal: Goal | None = None
        self._skill: Skill | None = None

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
        decision = Decision(
            actions=(self.label(),),
            tokens=np.empty(0, dtype=np.int16),
            log_probs=np.empty(0, dtype=np.float32),
            adapter=self.adapter,
            temperature=temperature,
        )
        return (decision,)

    def label(self) -> Action:
        """The best move in the present state, whoever brought the arm there."""
        sight = self._look()
        goals = read_goals(sight)
        if self._skill is None or not self._skill.busy:
            goal = next_goal(sight, goals)
            if goal != self._goal or self._skill is None:
                self._goal, self._skill = goal, _skill(sight, goal)
        return action(sight.tool, sight.tool_speed, self._skill.next(sight))

    def _look(self) -> Sight:
        world = self._robot.world
        if self._sight is None or self._sight.world is not world:
            self._sight = Sight(world)
        if self._episode != self._robot.resets:
            for goal in self._sight.world.goal():
                _must_be_known(self._sight, goal)
            self._episode = self._robot.resets
            self._goal = self._skill = None
        return self._sight


def _must_be_known(sight: Sight, goal: Goal) -> None:
    shuts_door = goal[0] == "close" and not sight.has_drawer(goal[1])
    if shuts_door or goal[0] not in ORDER:
        raise UsageError(
            f"the LIBERO expert knows no way to {' '.join(goal)}; it puts things in and on others,"
            " opens and closes drawers and turns stoves on"
        )


def _skill(sight: Sight, goal: Goal) -> Skill:
    match goal:
        case ("open", region):
            return Drawer(region, opens=True)
        case ("close", region):
            return Drawer(region, opens=False)
        case ("turnon", stove):
            return Knob(stove)
        case ("aside", thing, target):
            return Carry(goal[0], thing, target, slides=True)
        case ("in" | "on", thing, target):
            return Carry(goal[0], thing, target, slides=is_slid(sight, thing, target))
    raise UsageError(f"the LIBERO expert knows no way to {' '.join(goal)}")
