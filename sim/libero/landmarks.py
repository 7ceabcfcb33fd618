"""Where things are that a task is about, for those who may know: never for a policy."""

from __future__ import annotations

import numpy as np

from agent.episode import Float32Array
from sim.libero.goals import read_goals
from sim.libero.sight import Sight

LANDMARKS = ("tool", "target", "place")


def landmarks(sight: Sight) -> Float32Array:
    """(9,) m: positions of LANDMARKS, of the first goal that does not hold yet, else of the last.

    A goal of one thing, such as a drawer to open, has it for both target and place.
    """
    goals = read_goals(sight)
    goal = next((each for each in goals if not sight.holds(each)), goals[-1])
    target, place = (sight.origin(name).position for name in (goal[1], goal[-1]))
    return np.concatenate([sight.tool.position, target, place]).astype(np.float32)
