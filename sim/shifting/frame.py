"""What shifts of the action frame and of the gripper make of an action."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sim.shifting.shared import SharedShifts

Float64Array = NDArray[np.float64]


def frame_of(shifts: SharedShifts) -> tuple[Float64Array, Float64Array]:
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


def shifted(delta: Float64Array, shifts: SharedShifts) -> Float64Array:
    """What an action's delta (6,), in full scales, becomes: drift, then the frame, then gain."""
    drifted = delta.copy()
    drifted[1] += shifts.drift
    about, turning = frame_of(shifts)
    return np.concatenate([about @ drifted[:3], turning @ drifted[3:]]) * shifts.gain


def opening_of(asked: float, shifts: SharedShifts) -> float:
    """The opening that the hand is told, 0 closed .. 1 open; at -1 it is turned round."""
    if shifts.gripper == 1.0:
        return asked
    return 0.5 + shifts.gripper * (asked - 0.5)
