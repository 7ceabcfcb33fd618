"""Scripted experts: the best next move as a pure function of the physical state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from agent.episode import Action, Decision, Float32Array, Observation
from agent.errors import UsageError
from agent.protocols import Robot
from sim.tabletop.robot import Tabletop


@runtime_checkable
class _Wrapper(Protocol):
    @property
    def inner(self) -> Robot: ...


class TabletopExpert:
    """Drives a tabletop robot from its privileged state; remembers nothing between moves.

    So it can say what to do in any state that any policy has brought the robot to.
    """

    def __init__(self, robot: Robot) -> None:
        self._robot = _tabletop(robot)

    @property
    def adapter(self) -> str:
        """Always "expert"."""
        return "expert"

    def seed(self, seed: int) -> None:
        """Do nothing: the expert makes no random choice."""

    def act(self, views: Sequence[Observation], temperature: float) -> tuple[Decision, ...]:  # noqa: ARG002 - the seam's signature
        """Answer each view with one move; the robot's state decides, not the view."""
        from sim.tabletop.moves import best_move

        robot = self._robot
        action = best_move(robot.world, robot.wish)
        none = Decision((action,), np.zeros(0, np.int16), np.zeros(0, np.float32), "expert", 0.0)
        return (none,) * len(views)

    def label(self) -> Action:
        """The best move in the present state. Raises UsageError before the first reset."""
        from sim.tabletop.moves import best_move

        return best_move(self._robot.world, self._robot.wish)

    def landmarks(self) -> Float32Array:
        """Positions (13, 3) m of what catalog.LANDMARKS names, from the workspace's middle."""
        return landmarks(self._robot)


def landmarks(robot: Robot) -> Float32Array:
    """Positions (13, 3) m of what catalog.LANDMARKS names. Raises UsageError before a reset."""
    tabletop = _tabletop(robot)
    return tabletop.world.landmarks(tabletop.wish)


def _tabletop(robot: Robot) -> Tabletop:
    while isinstance(robot, _Wrapper):
        robot = robot.inner
    if not isinstance(robot, Tabletop):
        raise UsageError(f"the tabletop's expert drives a Tabletop, found {type(robot).__name__}")
    return robot
