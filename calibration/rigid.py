"""Rigid motions as (4, 4) matrices: a_in_b takes points of frame a to frame b."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

Float64Array = NDArray[np.float64]


def motion(rotation_vector_rad: ArrayLike, translation_m: ArrayLike) -> Float64Array:
    """The motion (4, 4) that turns by a rotation vector (3,) rad, then moves by (3,) m."""
    made = np.eye(4)
    made[:3, :3] = Rotation.from_rotvec(np.asarray(rotation_vector_rad, np.float64)).as_matrix()
    made[:3, 3] = translation_m
    return made


def inverse(pose: Float64Array) -> Float64Array:
    """The motion back (4, 4)."""
    made = np.eye(4)
    made[:3, :3] = pose[:3, :3].T
    made[:3, 3] = -pose[:3, :3].T @ pose[:3, 3]
    return made


def nudged(pose: Float64Array, change: Float64Array) -> Float64Array:
    """A pose changed in its own frame. change: (6,) metres, then a rotation vector in rad."""
    moved: Float64Array = pose @ motion(change[3:], change[:3])
    return moved


def rotation_vector(pose: Float64Array) -> Float64Array:
    """A motion's rotation as axis times angle (3,) rad."""
    return np.asarray(Rotation.from_matrix(pose[:3, :3]).as_rotvec())


def apart(one: Float64Array, other: Float64Array) -> tuple[float, float]:
    """Distance (m) and angle (rad) between two poses."""
    between = inverse(one) @ other
    return float(np.linalg.norm(one[:3, 3] - other[:3, 3])), float(
        np.linalg.norm(rotation_vector(between))
    )
