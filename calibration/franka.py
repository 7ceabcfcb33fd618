"""Franka's published figures for Panda (FER) and Research 3, and the kinematics both share.

Sources: Franka Control Interface documentation, "Robot and interface specifications": modified
Denavit-Hartenberg parameters, joint and Cartesian limits, and for Research 3 the joint speed that
shrinks towards the end of the joint's range.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Seven = tuple[float, float, float, float, float, float, float]

# a (m), d (m), alpha (rad) of joints 1 to 7; the same for both models.
DH = (
    (0.0, 0.333, 0.0),
    (0.0, 0.0, -math.pi / 2),
    (0.0, 0.316, math.pi / 2),
    (0.0825, 0.0, math.pi / 2),
    (-0.0825, 0.384, -math.pi / 2),
    (0.0, 0.0, math.pi / 2),
    (0.088, 0.0, math.pi / 2),
)
FLANGE_M = 0.107  # from the last joint's frame to the flange
HAND_TURN_RAD = -math.pi / 4  # the hand is mounted turned about the flange's axis
TOOL_M = 0.1034  # from the hand's frame to the tool point between the finger pads


@dataclass(frozen=True, slots=True)
class SpeedCurve:
    """Speed a joint may have at q: min(top, -offset + sqrt(slope * (end - q))), and mirrored.

    offset: rad/s. slope: rad/s2, twice the deceleration. low_end, high_end: rad.
    """

    offset: float
    slope: float
    low_end: float
    high_end: float


@dataclass(frozen=True, slots=True)
class Model:
    """One kind of arm. curves: () where the joints' top speed holds over their whole range.

    Units: rad, rad/s, m/s, m/s2.
    """

    name: str
    low_rad: Seven
    high_rad: Seven
    speed_rad_s: Seven
    tool_speed_m_s: float
    tool_acceleration_m_s2: float
    tool_rotation_rad_s: float
    curves: tuple[SpeedCurve, ...] = ()

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Names of joints 1 to 7 in this model's robot description."""
        return tuple(f"{self.name}_joint{number}" for number in range(1, 8))


PANDA = Model(
    name="panda",
    low_rad=(-2.8973, -1.7628, -2.8973, -3.0718, -2.8973, -0.0175, -2.8973),
    high_rad=(2.8973, 1.7628, 2.8973, -0.0698, 2.8973, 3.7525, 2.8973),
    speed_rad_s=(2.175, 2.175, 2.175, 2.175, 2.61, 2.61, 2.61),
    tool_speed_m_s=1.7,
    tool_acceleration_m_s2=13.0,
    tool_rotation_rad_s=2.5,
)
FR3 = Model(
    name="fr3",
    low_rad=(-2.7437, -1.7837, -2.9007, -3.0421, -2.8065, 0.5445, -3.0159),
    high_rad=(2.7437, 1.7837, 2.9007, -0.1518, 2.8065, 4.5169, 3.0159),
    speed_rad_s=(2.62, 2.62, 2.62, 2.62, 5.26, 4.18, 5.26),
    tool_speed_m_s=3.0,
    tool_acceleration_m_s2=9.0,
    tool_rotation_rad_s=2.5,
    curves=(
        SpeedCurve(0.30, 12.0, -2.75010, 2.75010),
        SpeedCurve(0.20, 5.17, -1.79180, 1.79180),
        SpeedCurve(0.20, 7.00, -2.90650, 2.90650),
        SpeedCurve(0.30, 8.00, -3.04810, -0.14580),
        SpeedCurve(0.35, 34.0, -2.81010, 2.81010),
        SpeedCurve(0.35, 11.0, 0.54092, 4.52050),
        SpeedCurve(0.35, 34.0, -3.01960, 3.01960),
    ),
)
MODELS: Mapping[str, Model] = {model.name: model for model in (FR3, PANDA)}


def speed_limits(model: Model, joints_rad: ArrayLike) -> tuple[Vector, Vector]:
    """Lowest and highest velocity (7,) rad/s of each joint at these angles (7,) rad."""
    joints, top = np.asarray(joints_rad, np.float64), np.array(model.speed_rad_s)
    if not model.curves:
        return -top, top
    offset, slope, low, high = np.array(
        [(each.offset, each.slope, each.low_end, each.high_end) for each in model.curves]
    ).T
    up = np.clip(np.sqrt(np.maximum(slope * (high - joints), 0.0)) - offset, 0.0, top)
    down = np.clip(np.sqrt(np.maximum(slope * (joints - low), 0.0)) - offset, 0.0, top)
    return -down, up


def forward(joints_rad: ArrayLike) -> tuple[Vector, Matrix]:
    """Where the hand's tool point is: position (3,) m and axes (3, 3) as columns, in the base."""
    position, axes, _ = _chain(np.asarray(joints_rad, np.float64))
    return position, axes


def jacobian(joints_rad: ArrayLike) -> Matrix:
    """Velocity of the tool point over joint speeds (6, 7): m then rad, in the base frame."""
    tool, _, frames = _chain(np.asarray(joints_rad, np.float64))
    axes, origins = np.array(frames)[:, :3, 2], np.array(frames)[:, :3, 3]
    return np.vstack([np.cross(axes, tool - origins).T, axes.T])


def least_singular(joints_rad: ArrayLike) -> float:
    """Least singular value of the Jacobian; 0 where the arm has lost a direction."""
    return float(np.linalg.svd(jacobian(joints_rad), compute_uv=False)[-1])


def _chain(joints: Vector) -> tuple[Vector, Matrix, list[Matrix]]:
    """Tool position, tool axes, and the frame of every joint."""
    frame, frames = np.eye(4), []
    for (a, d, alpha), angle in zip(DH, joints, strict=True):
        ca, sa, ct, st = math.cos(alpha), math.sin(alpha), math.cos(angle), math.sin(angle)
        frame = frame @ np.array(
            [
                [ct, -st, 0.0, a],
                [st * ca, ct * ca, -sa, -sa * d],
                [st * sa, ct * sa, ca, ca * d],
                [0.0, 0.0, 0.0, 1.0],
            ]
        )
        frames.append(frame)
    c, s = math.cos(HAND_TURN_RAD), math.sin(HAND_TURN_RAD)
    axes = frame[:3, :3] @ np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    return frame[:3, 3] + axes[:, 2] * (FLANGE_M + TOOL_M), axes, frames
