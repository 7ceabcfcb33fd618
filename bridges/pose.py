"""Poses of the tool, and the arithmetic of turning."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the tool is in the arm's base frame.

    position_m: (3,). quaternion: (4,) unit, x y z w.
    """

    position_m: Float64Array
    quaternion: Float64Array


def product(first: Float64Array, second: Float64Array) -> Float64Array:
    """Hamilton's product: the turn `second`, then the turn `first`, both (4,) x y z w."""
    x1, y1, z1, w1 = first
    x2, y2, z2, w2 = second
    return np.array(
        [
            w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
            w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
            w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2,
            w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
        ]
    )


def inverse(quaternion: Float64Array) -> Float64Array:
    """The turn back, of a unit quaternion."""
    out: Float64Array = quaternion * np.array([-1.0, -1.0, -1.0, 1.0])
    return out


def turned_by(vector: Float64Array) -> Float64Array:
    """The quaternion of a rotation vector (3,) rad."""
    angle = math.sqrt(float(vector @ vector))
    # sin(a/2)/a, whose limit at 0 is 1/2
    share = 0.5 if angle < 1e-9 else math.sin(angle / 2) / angle
    turn = np.append(vector * share, math.cos(angle / 2))
    out: Float64Array = turn / math.sqrt(float(turn @ turn))
    return out


def turn_of(quaternion: Float64Array) -> Float64Array:
    """The rotation vector (3,) rad of a unit quaternion, the shorter way round."""
    q = quaternion if quaternion[3] >= 0 else -quaternion
    sine = math.sqrt(float(q[:3] @ q[:3]))
    if sine < 1e-12:
        return np.array(q[:3] * 2.0)
    out: Float64Array = q[:3] * (2.0 * math.atan2(sine, float(q[3])) / sine)
    return out


def between(start: Pose, end: Pose, share: float) -> Pose:
    """The pose on the straight way from start to end; the turn by slerp (Shoemake 1985).

    share: 0 .. 1, how much of the way.
    """
    turn = turn_of(product(end.quaternion, inverse(start.quaternion)))
    return Pose(
        start.position_m + share * (end.position_m - start.position_m),
        product(turned_by(share * turn), start.quaternion),
    )
