"""What a LIBERO task wants, and what of it comes next."""

from __future__ import annotations

from sim.libero.places import in_the_way
from sim.libero.sight import Sight

Goal = tuple[str, ...]

# A stove is lit and a drawer opened before things are in the way, and doors are shut last.
_OPEN_ENOUGH = 0.7
ORDER = ("open", "turnon", "in", "on", "close")


def read_goals(sight: Sight) -> tuple[Goal, ...]:
    """All that must hold, in the order it is best done."""
    goals = sight.world.goal()
    return tuple(
        sorted(goals, key=lambda goal: ORDER.index(goal[0]) if goal[0] in ORDER else len(ORDER))
    )


def next_goal(sight: Sight, goals: tuple[Goal, ...]) -> Goal:
    """Give the first goal that does not hold, or what must be done before it; else the last."""
    for goal in goals:
        if not sight.holds(goal):
            return _before(sight, goal)
    return goals[-1]


def _before(sight: Sight, goal: Goal) -> Goal:
    """A drawer must be open before something is put in, with the thing itself out of its way."""
    if goal[0] == "in" and sight.has_drawer(goal[2]):
        drawer = sight.joint(sight.owner(goal[2]) or "", goal[2])
        if drawer.share < _OPEN_ENOUGH:
            blocked = in_the_way(sight, goal[1], drawer)
            return ("aside", *goal[1:]) if blocked else ("open", goal[2])
    return goal
