"""What the tabletop's shifts make of a target pose.

A shift speaks of an action: a move from where the tool is. A target that arrives stands for the
move from the tool's place at that moment to the target, and that move is shifted as
sim.tabletop.robot does it: drift, then rotate, then gain. So every target is shifted, those that
hold the arm or bring it home included, as an arm with a wrong calibration would.
"""

from __future__ import annotations

import math

import numpy as np

from agent.errors import UsageError
from sim.franka.pose import Pose
from sim.tabletop.arm import turn, turned
from sim.tabletop.catalog import FULL_SCALE
from sim.tabletop.shifts import Shifts


def refuse_wording(shifts: Shifts) -> None:
    """Raise UsageError for a shift of words: an arm hears none."""
    if shifts.paraphrase:
        raise UsageError(
            "shift paraphrase wanted of the simulated Franka, which hears no instruction; "
            "give the agent another --task text"
        )


def shifted(target: Pose, tool: Pose, shifts: Shifts) -> Pose:
    """Where a target leads under these shifts. tool: where the tool is as the target arrives."""
    if not (shifts.drift or shifts.rotate or shifts.gain != 1.0):
        return target
    move = target.position - tool.position
    move[1] += shifts.drift * FULL_SCALE[1]
    cosine, sine = math.cos(shifts.rotate), math.sin(shifts.rotate)
    about = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    turning = turn(target.axes @ tool.axes.T)
    return Pose(
        tool.position + shifts.gain * (about @ move),
        turned(shifts.gain * (about @ turning)) @ tool.axes,
    )
