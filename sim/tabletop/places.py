"""Cameras that do not sit where they sat when the policy was trained."""

from __future__ import annotations

import math

import mujoco
import numpy as np

from sim.tabletop.arm import Float64Array, turned
from sim.tabletop.shifts import Shifts


def moved_cameras(model: mujoco.MjModel, shifts: Shifts) -> None:
    """Move and turn both cameras in their own frames (right, up, back), by what is shifted."""
    _move(
        model.camera("agentview"),
        np.array([0.0, shifts.camera_up, 0.0]),
        np.array([shifts.camera_tilt, shifts.camera_pan, shifts.camera_roll]),
    )
    _move(
        model.camera("eye_in_hand"),
        np.array([shifts.wrist, shifts.wrist_up, 0.0]),
        np.array([shifts.wrist_tilt, shifts.wrist_pan, shifts.wrist_roll]),
    )


def _move(camera: mujoco.MjModel, aside_m: Float64Array, turn_deg: Float64Array) -> None:
    if not (aside_m.any() or turn_deg.any()):
        return
    axes = np.zeros(9)
    mujoco.mju_quat2Mat(axes, camera.quat)
    camera.pos[:] += axes.reshape(3, 3) @ aside_m
    quaternion = np.zeros(4)
    after = axes.reshape(3, 3) @ turned(turn_deg * (math.pi / 180.0))
    mujoco.mju_mat2Quat(quaternion, after.ravel())
    camera.quat[:] = quaternion
