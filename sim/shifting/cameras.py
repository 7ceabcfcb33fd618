"""Cameras that do not sit where they sat when the policy was trained."""

from __future__ import annotations

import math
from collections.abc import Mapping

import mujoco
import numpy as np
from numpy.typing import NDArray

from sim.shifting.shared import SharedShifts

Float64Array = NDArray[np.float64]


def moved_cameras(
    model: mujoco.MjModel, shifts: SharedShifts, names: Mapping[str, str] | None = None
) -> None:
    """Move and turn both cameras in their own frames (right, up, back), by what is shifted.

    names: what the model calls agentview and eye_in_hand, where it does not call them so.
    """
    called = {"agentview": "agentview", "eye_in_hand": "eye_in_hand"} | dict(names or {})
    _move(
        model.camera(called["agentview"]),
        np.array([0.0, shifts.camera_up, 0.0]),
        np.array([shifts.camera_tilt, shifts.camera_pan, shifts.camera_roll]),
    )
    _move(
        model.camera(called["eye_in_hand"]),
        np.array([shifts.wrist, shifts.wrist_up, 0.0]),
        np.array([shifts.wrist_tilt, shifts.wrist_pan, shifts.wrist_roll]),
    )


def _move(camera: mujoco.MjModel, aside_m: Float64Array, turn_deg: Float64Array) -> None:
    if not (aside_m.any() or turn_deg.any()):
        return
    axes, turn, quaternion = np.zeros(9), np.zeros(4), np.zeros(4)
    mujoco.mju_quat2Mat(axes, camera.quat)
    camera.pos[:] += axes.reshape(3, 3) @ aside_m
    vector = turn_deg * (math.pi / 180.0)
    angle = math.sqrt(float(vector @ vector))
    mujoco.mju_axisAngle2Quat(turn, vector / angle if angle else np.array([0.0, 0.0, 1.0]), angle)
    mujoco.mju_mulQuat(quaternion, camera.quat, turn)
    camera.quat[:] = quaternion
