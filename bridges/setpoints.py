"""From a policy's delta to target poses at the controller's rate, and back again."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from agent.episode import Float32Array
from bridges.pose import (
    Float64Array,
    Pose,
    between,
    inverse,
    product,
    turn_of,
    turned_by,
)


def anchor_of(
    measured: Pose, last: Pose, anchor: Literal["measured", "last"], leash_rad: float
) -> Pose:
    """The pose that a delta starts from.

    "measured": the place where the tool is, so that a blocked arm does not wind up, with the turn
    that was asked of it last, so that it does not sag; at most leash_rad from the measured turn.
    "last": the last target altogether.
    """
    if anchor == "last":
        return last
    ahead = turn_of(product(last.quaternion, inverse(measured.quaternion)))
    angle = math.sqrt(float(ahead @ ahead))
    if angle <= leash_rad:
        return Pose(measured.position_m, last.quaternion)
    leashed = turned_by(ahead * (leash_rad / angle))
    return Pose(measured.position_m, product(leashed, measured.quaternion))


def target_of(anchor: Pose, delta: Float32Array, full_scale: Float64Array) -> Pose:
    """Where a delta (6,) leads, both its move and its turn along the base frame's axes.

    full_scale: (6,) m and rad that 1.0 stands for.
    """
    move = np.asarray(delta, np.float64) * full_scale
    return Pose(anchor.position_m + move[:3], product(turned_by(move[3:]), anchor.quaternion))


def delta_of(anchor: Pose, target: Pose, full_scale: Float64Array) -> Float32Array:
    """The delta (6,) that leads from the anchor to the target: `target_of` the other way round."""
    turn = turn_of(product(target.quaternion, inverse(anchor.quaternion)))
    move = np.concatenate([target.position_m - anchor.position_m, turn])
    return np.asarray(move / full_scale, np.float32)


def count_of(control_hz: float, setpoint_hz: float) -> int:
    """Setpoints in one control step, so many that they come at setpoint_hz or more."""
    return max(1, math.ceil(setpoint_hz / control_hz - 1e-9))


def resampled(start: Pose, target: Pose, count: int) -> tuple[Pose, ...]:
    """The way from start to target in so many equal parts; the last one is the target itself.

    From the measured pose this is a ramp: no setpoint jumps.
    """
    return (*(between(start, target, n / count) for n in range(1, count)), target)
