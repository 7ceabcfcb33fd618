"""The way home: setpoints on a straight line, slow enough to stop at its end."""

from __future__ import annotations

import math

import numpy as np

from bridges.guard.bounds import Bounds
from bridges.guard.command import Measured, Vector
from bridges.pose import Pose, between, inverse, product, turn_of
from calibration.franka import forward
from calibration.profile import Profile

# Half of what the envelope allows.
_SHARE = 0.5
NEAR_M = 0.01
NEAR_RAD = 0.05


def home_of(profile: Profile) -> Pose:
    """Where the tool is when the arm is at home."""
    position, axes = forward(profile.home.joints_rad)
    return Pose(position, _quaternion(axes))


def next_pose(start: Pose, home: Pose, bounds: Bounds) -> Pose:
    """The setpoint after `start`; `home` itself at last."""
    far, angle = apart(start, home)
    speed = min(
        _SHARE * bounds.speed_m_s * bounds.slowed,
        math.sqrt(2.0 * _SHARE * bounds.acceleration_m_s2 * far),
    )
    step = min(max(speed * bounds.period_s, 1e-4), _SHARE * bounds.step_m)
    turn_rad_s = _SHARE * bounds.rotation_rad_s * bounds.slowed
    turn = min(turn_rad_s * bounds.period_s, _SHARE * bounds.step_rad)
    share = min(step / far if far > step else 1.0, turn / angle if angle > turn else 1.0)
    return between(start, home, share) if share < 1.0 else home


def is_there(measured: Measured, target: Pose, home: Pose) -> bool:
    """Whether the target is home and the arm has come to it."""
    far, angle = apart(measured.pose, home)
    return max(apart(target, home)) < 1e-6 and far < NEAR_M and angle < NEAR_RAD


def apart(start: Pose, end: Pose) -> tuple[float, float]:
    """How far two poses are from each other: m, rad."""
    turn = turn_of(product(end.quaternion, inverse(start.quaternion)))
    way = end.position_m - start.position_m
    return math.sqrt(float(way @ way)), math.sqrt(float(turn @ turn))


def _quaternion(axes: Vector) -> Vector:
    """The quaternion (4,) x y z w of axes (3, 3) in columns (Shepperd 1978)."""
    xx, yy, zz = (float(axes[n, n]) for n in range(3))
    squares = np.array([1 + xx - yy - zz, 1 - xx + yy - zz, 1 - xx - yy + zz, 1 + xx + yy + zz])
    # Each row is 4 q_n q, so the longest is the best one to divide.
    mixed = np.array([
        [squares[0], axes[0, 1] + axes[1, 0], axes[0, 2] + axes[2, 0], axes[2, 1] - axes[1, 2]],
        [axes[0, 1] + axes[1, 0], squares[1], axes[1, 2] + axes[2, 1], axes[0, 2] - axes[2, 0]],
        [axes[0, 2] + axes[2, 0], axes[1, 2] + axes[2, 1], squares[2], axes[1, 0] - axes[0, 1]],
        [axes[2, 1] - axes[1, 2], axes[0, 2] - axes[2, 0], axes[1, 0] - axes[0, 1], squares[3]],
    ])  # fmt: skip
    row: Vector = mixed[int(squares.argmax())]
    return row / math.sqrt(float(row @ row))
