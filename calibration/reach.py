"""Whether an arm can hold its tool somewhere, and with which joints: damped least squares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.franka import Model, forward, jacobian, least_singular
from calibration.rigid import Float64Array, apart, inverse, motion, nudged, rotation_vector

ROUNDS = 40
NEAR_M, NEAR_RAD = 1e-5, 1e-4
DAMPING = 1e-4
LONGEST_RAD = 0.3  # a joint's step in one round: further, the slopes no longer hold
STRIDE_M, STRIDE_RAD = 0.08, 0.35  # a way is looked at so often

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reach:
    """An arm, and how near its limits it may go: to each joint's, and to a singular pose."""

    model: Model
    margin_rad: float = 0.1
    singular_min: float = 0.05

    def allows(self, joints_rad: ArrayLike) -> bool:
        """Whether joints (7,) rad lie inside the margins and away from singular poses."""
        joints = np.asarray(joints_rad, np.float64)
        low = np.array(self.model.low_rad) + self.margin_rad
        high = np.array(self.model.high_rad) - self.margin_rad
        inside = bool(((joints >= low) & (joints <= high)).all())
        return inside and least_singular(joints) >= self.singular_min


def tool_of(joints_rad: ArrayLike) -> Float64Array:
    """The tool's pose (4, 4) in the base frame."""
    place, axes = forward(joints_rad)
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = axes, place
    return pose


def joints_for(model: Model, tool: Float64Array, start_rad: ArrayLike) -> Vector | None:
    """Joints (7,) rad that hold the tool at a pose (4, 4), near those it starts from; or None.

    Damped least squares (Wampler 1986), held inside the model's limits.
    """
    joints = np.asarray(start_rad, np.float64)
    for _ in range(ROUNDS):
        here = tool_of(joints)
        turn = here[:3, :3] @ rotation_vector(inverse(here) @ tool)
        error = np.concatenate([tool[:3, 3] - here[:3, 3], turn])
        if max(apart(here, tool)) < NEAR_M:
            return joints
        slopes = jacobian(joints)
        step = slopes.T @ np.linalg.solve(slopes @ slopes.T + DAMPING * np.eye(6), error)
        step *= min(1.0, LONGEST_RAD / float(np.abs(step).max() + 1e-12))
        joints = np.clip(joints + step, model.low_rad, model.high_rad)
    far_m, far_rad = apart(tool_of(joints), tool)
    return joints if far_m < NEAR_M and far_rad < NEAR_RAD else None


def way(start: Float64Array, end: Float64Array) -> list[Float64Array]:
    """Poses on the straight way between two, so close that nothing between them surprises."""
    far_m, far_rad = apart(start, end)
    count = max(1, int(np.ceil(max(far_m / STRIDE_M, far_rad / STRIDE_RAD))))
    turn = rotation_vector(inverse(start) @ end)
    move = start[:3, :3].T @ (end[:3, 3] - start[:3, 3])
    return [nudged(start, np.concatenate([move, np.zeros(3)]) * n / count)
            @ motion(turn * n / count, np.zeros(3)) for n in range(1, count + 1)]  # fmt: skip


def along(reach: Reach, start_rad: ArrayLike, end: Float64Array) -> Vector | None:
    """Joints (7,) at the end of the straight way there, or None where any of it is out of reach."""
    joints = np.asarray(start_rad, np.float64)
    for pose in way(tool_of(joints), end):
        found = joints_for(reach.model, pose, joints)
        if found is None or not reach.allows(found):
            return None
        joints = found
    return joints
