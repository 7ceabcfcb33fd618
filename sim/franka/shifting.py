"""What the tabletop's shifts make of a target pose.

A shift speaks of an action: a move from where the tool is, and a turn from where it was last to
point. A target that arrives stands for the move from the tool's place at that moment, and for the
turn from the target before. Both are shifted as sim.tabletop.robot does it: drift, then rotate,
then gain, and carried out from where the tool is when they take effect. So every target is
shifted, those that hold the arm or bring it home included, as an arm with a wrong calibration
would.
"""

from __future__ import annotations

import numpy as np

from agent.errors import UsageError
from sim.franka.pose import Pose
from sim.shifting.frame import frame_of
from sim.tabletop.arm import Float64Array, turn, turned
from sim.tabletop.catalog import FULL_SCALE
from sim.tabletop.shifts import Shifts


def refuse_wording(shifts: Shifts) -> None:
    """Raise UsageError for a shift of words: an arm hears none."""
    if shifts.paraphrase:
        raise UsageError(
            "shift paraphrase wanted of the simulated Franka, which hears no instruction; "
            "give the agent another --task text"
        )


def move_of(target: Pose, anchor: Pose, shifts: Shifts) -> Float64Array:
    """The move (6,) m and rad that a target stands for, shifted. anchor: where it starts from."""
    move = target.position - anchor.position
    move[1] += shifts.drift * FULL_SCALE[1]
    about, turning = frame_of(shifts)
    turned_by = turn(target.axes @ anchor.axes.T)
    return np.concatenate([about @ move, turning @ turned_by]) * shifts.gain


def after(move: Float64Array, anchor: Pose) -> Pose:
    """Where a move (6,) leads from an anchor."""
    return Pose(anchor.position + move[:3], turned(move[3:]) @ anchor.axes)
