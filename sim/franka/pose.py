"""Where the tool is: a place and a direction, and how far apart two of them are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sim.tabletop.arm import Float64Array, turn, turned


@dataclass(frozen=True, slots=True)
class Pose:
    """The tool. position: (3,) m. axes: (3, 3), the hand's axes as columns."""

    position: Float64Array
    axes: Float64Array


@dataclass(frozen=True, slots=True)
class Felt:
    """What an arm feels of itself. joints: (7,) rad. speeds: (7,) rad/s.

    pose: in the base frame, as the arm believes it. opening: 0 closed .. 1 open.
    """

    joints: Float64Array
    speeds: Float64Array
    pose: Pose
    opening: float


def towards(start: Pose, goal: Pose, longest_m: float, widest_rad: float) -> Pose:
    """The goal, brought back to within a length and an angle of the start; directions are kept."""
    move, turning = goal.position - start.position, turn(goal.axes @ start.axes.T)
    return Pose(
        start.position + no_longer(move, longest_m),
        turned(no_longer(turning, widest_rad)) @ start.axes,
    )


def no_longer(vector: Float64Array, limit: float) -> Float64Array:
    """A vector scaled down to a length at most; its direction is kept."""
    length = math.sqrt(float(vector @ vector))
    return vector if length <= limit else vector * (limit / length)


def axes_of(quaternion_xyzw: Float64Array) -> Float64Array | None:
    """The rotation matrix (3, 3) of a quaternion (4,), or None where it is none.

    Refused: a length further than 0.01 from 1, or a number that is not finite.
    """
    length = float(np.linalg.norm(quaternion_xyzw))
    if not abs(length - 1.0) < 0.01:  # also False for NaN
        return None
    x, y, z, w = quaternion_xyzw / length
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def quaternion_of(axes: Float64Array) -> tuple[float, float, float, float]:
    """The quaternion x, y, z, w of a rotation matrix (3, 3)."""
    vector = turn(axes)
    angle = math.sqrt(float(vector @ vector))
    scale = 0.5 if angle < 1e-9 else math.sin(angle / 2) / angle
    x, y, z = (vector * scale).tolist()
    return x, y, z, math.cos(angle / 2)
