"""How far along a camera's line of sight its scene lies: what makes millimetres of its pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calibration.profile import Camera, Profile
from calibration.rigid import motion
from calibration.tables import Lens

STEEPEST = 0.1  # of a unit ray, downwards: a flatter one never meets the table


@dataclass(frozen=True, slots=True)
class Sightline:
    """focal_px: in the pictures of a run, cut, turned and made smaller as they are.

    distance_m: from the camera, the arm at home, to the floor of the workspace or to its middle.
    """

    focal_px: float
    distance_m: float


def sightlines(cell: Profile) -> dict[str, Sightline]:
    """Sightlines of the cameras whose lens and place the profile holds, by name."""
    return {
        camera.name: Sightline(_focal_px(camera, camera.lens), _distance_m(cell, camera))
        for camera in cell.cameras
        if camera.lens is not None and camera.place is not None
    }


def _focal_px(camera: Camera, lens: Lens) -> float:
    width, height = (lens.width_px, lens.height_px) if camera.crop is None else camera.crop[2:]
    across = width if camera.rotate_deg in (0, 180) else height
    return lens.fx * camera.width_px / across


def _distance_m(cell: Profile, camera: Camera) -> float:
    from calibration.reach import tool_of

    place = camera.place
    if place is None:
        raise ValueError(f"camera {camera.name} has no place")
    eye = motion(place.rotation_vector_rad, place.position_m)
    if place.mount == "on-hand":
        eye = tool_of(np.array(cell.home.joints_rad)) @ eye
    low, high = np.array(cell.workspace.low_m), np.array(cell.workspace.high_m)
    ahead = eye[:3, 2]
    if ahead[2] < -STEEPEST and eye[2, 3] > low[2]:
        return float((low[2] - eye[2, 3]) / ahead[2])
    return float(np.linalg.norm((low + high) / 2 - eye[:3, 3]))
