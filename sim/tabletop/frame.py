"""What shifts of the action frame and of the gripper make of an action."""

from __future__ import annotations

import math

import numpy as np

from sim.tabletop.arm import Float64Array
from sim.tabletop.shifts import Shifts


def frame_of(shifts: Shifts) -> tuple[Float64Array, Float64Array]:
    """What a move and a turn are multiplied by, (3, 3) each: swap, then mirror, then rotate.

    A turn is an axial vector: a reflection also reverses it.
    """
    cosine, sine = math.cos(shifts.rotate), math.sin(shifts.rotate)
    about = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    sign = 1.0
    if shifts.mirror:
        about, sign = about @ np.diag([1.0, -1.0, 1.0]), -sign
    if shifts.swap:
        about, sign = about[:, [1, 0, 2]], -sign
    return about, sign * about


def opening_of(asked: float, shifts: Shifts) -> float:
    """The opening that the hand is told, 0 closed .. 1 open; at -1 it is turned round."""
    if shifts.gripper == 1.0:
        return asked
    return 0.5 + shifts.gripper * (asked - 0.5)
