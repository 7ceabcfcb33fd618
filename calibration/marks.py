"""Markers in a picture, by name, and how far those seen before have moved since."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.board import DICTIONARIES
from calibration.camera import Intrinsics
from calibration.complaints import CalibrationError
from calibration.rigid import Float64Array, motion
from calibration.view import ViewOffset

FAMILIES: Mapping[str, int] = {
    **DICTIONARIES,
    "april_16h5": cv2.aruco.DICT_APRILTAG_16h5,
    "april_25h9": cv2.aruco.DICT_APRILTAG_25h9,
    "april_36h11": cv2.aruco.DICT_APRILTAG_36h11,
}
OFF_PX = 2.0  # a corner farther from where the others went belongs to a marker that was moved

Marks = Mapping[int, Float64Array]


def marks(picture: NDArray[np.uint8], family: str) -> Marks:
    """Corners (4, 2) px of every marker in a picture (h, w, 3) or (h, w), by its number.

    A ChArUco board's markers count too. Raises CalibrationError for an unknown family.
    """
    if family not in FAMILIES:
        raise CalibrationError(f"markers of {', '.join(FAMILIES)} wanted, found {family!r}")
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) if picture.ndim == 3 else picture
    how = cv2.aruco.DetectorParameters()
    how.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    dictionary = cv2.aruco.getPredefinedDictionary(FAMILIES[family])
    # OpenCV gives None where it finds nothing, which its types do not know.
    told: tuple[Any, ...] = cv2.aruco.ArucoDetector(dictionary, how).detectMarkers(grey)
    corners, ids = told[:2]
    numbers: Sequence[int] = [] if ids is None else [int(each) for each in np.ravel(ids)]
    found = [np.asarray(each, np.float64).reshape(4, 2) for each in corners]
    return dict(zip(numbers, found, strict=True))


def marks_offset(before: Marks, now: Marks, size: tuple[int, int]) -> ViewOffset | None:
    """How markers seen in both pictures moved; None where none is. size: (width, height) px.

    The confidence is the share of corners that went the same way.
    """
    same = sorted(set(before) & set(now))
    if not same:
        return None
    middle = (np.array(size) - 1) / 2
    one = np.concatenate([before[number] for number in same]) - middle
    other = np.concatenate([now[number] for number in same]) - middle
    found, agree = cv2.estimateAffinePartial2D(one, other, ransacReprojThreshold=OFF_PX)
    if found is None:
        return None
    return ViewOffset(
        (float(found[0, 2]), float(found[1, 2])),
        math.degrees(math.atan2(found[1, 0], found[0, 0])),
        math.hypot(found[0, 0], found[1, 0]), float(np.mean(agree)),
    )  # fmt: skip


def mark_in_camera(corners_px: Float64Array, side_m: float, camera: Intrinsics) -> Float64Array:
    """Pose (4, 4) of one marker in the camera's frame: with two views, the camera's whole move."""
    half = side_m / 2
    known = np.array([[-half, half, 0], [half, half, 0], [half, -half, 0], [-half, -half, 0]])
    found, turned, moved = cv2.solvePnP(
        known, corners_px, camera.matrix, camera.distortion, flags=cv2.SOLVEPNP_IPPE_SQUARE
    )
    if not found:
        raise CalibrationError("a pose of the marker wanted, none fits; is it seen whole?")
    return motion(np.ravel(turned), np.ravel(moved))
