"""Franka's arm by screw axes: a second way to its kinematics, for holding the first against.

Lynch and Park (2017), Modern Robotics, chapters 4 and 5. Lengths are those of Franka's drawings,
read off the arm stretched upwards at q = 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Axis and a point (m) on it, of joints 1 to 7 at q = 0.
AXES = np.array([[0, 0, 1], [0, 1, 0], [0, 0, 1], [0, -1, 0], [0, 0, 1], [0, -1, 0], [0, 0, -1]])
POINTS = np.array([
    [0, 0, 0.333], [0, 0, 0.333], [0, 0, 0.649], [0.0825, 0, 0.649],
    [0, 0, 1.033], [0, 0, 1.033], [0.088, 0, 1.033],
])  # fmt: skip
# The tool at q = 0: below the last axis, looking down, the hand turned by an eighth.
TOOL = np.array([0.088, 0.0, 1.033 - 0.107 - 0.1034])
_HALF = np.sqrt(0.5)
HAND = np.array([[_HALF, _HALF, 0.0], [_HALF, -_HALF, 0.0], [0.0, 0.0, -1.0]])


def tool_of(joints: Array) -> tuple[Array, Array, Array]:
    """Tool point (3,) m, hand axes (3, 3) and Jacobian (6, 7) at joints (7,) rad."""
    turn, shift = np.eye(3), np.zeros(3)
    axes, points = np.empty((7, 3)), np.empty((7, 3))
    for number, angle in enumerate(joints):
        axis, point = AXES[number], POINTS[number]
        axes[number], points[number] = turn @ axis, turn @ point + shift
        by = _rodrigues(axis, angle)
        shift = shift + turn @ (point - by @ point)
        turn = turn @ by
    tool = turn @ TOOL + shift
    arms = tool - points
    lines = np.stack([
        axes[:, 1] * arms[:, 2] - axes[:, 2] * arms[:, 1],
        axes[:, 2] * arms[:, 0] - axes[:, 0] * arms[:, 2],
        axes[:, 0] * arms[:, 1] - axes[:, 1] * arms[:, 0],
    ])  # fmt: skip
    return tool, turn @ HAND, np.vstack([lines, axes.T])


def quaternion_of(axes: Array) -> Array:
    """A unit quaternion (4,) x y z w of axes (3, 3), by the eigenvector of Bar-Itzhack (2000)."""
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = axes
    matrix = np.array([
        [xx - yy - zz, yx + xy, zx + xz, zy - yz],
        [yx + xy, yy - xx - zz, zy + yz, xz - zx],
        [zx + xz, zy + yz, zz - xx - yy, yx - xy],
        [zy - yz, xz - zx, yx - xy, xx + yy + zz],
    ])  # fmt: skip
    return np.linalg.eigh(matrix / 3.0)[1][:, -1]


def turn_between(start: Array, end: Array) -> Array:
    """The rotation vector (3,) rad from one unit quaternion to another, the shorter way round."""
    a, b = start[:3], end[:3]
    scalar = float(start @ end)
    vector = start[3] * b - end[3] * a + np.array([
        a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0],
    ])  # fmt: skip
    sine = float(np.linalg.norm(vector))
    if sine < 1e-15:
        return np.zeros(3)
    angle = 2.0 * np.arctan2(sine, abs(scalar))
    return vector * (np.sign(scalar or 1.0) * angle / sine)


def _rodrigues(axis: Array, angle: float) -> Array:
    x, y, z = axis
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * (k @ k)
