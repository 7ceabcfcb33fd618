"""Markers in a picture, by number, which of them stand still, and how far they have moved since."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
OFF_PX, OFF_SHARE = 2.0, 0.03  # of the width, where the camera may have turned by some degrees

SEEN = 0.75  # of the pictures: a marker that is hidden more often is not leant on
STILL_PX, STILL_SHARE = 1.0, 0.004  # of the width: farther from its usual place it is no fixture

Marks = Mapping[int, Float64Array]


@dataclass(frozen=True, slots=True)
class Standing:
    """Markers that stand still in a camera's view. size: (width, height) px."""

    family: str
    known: Marks
    size: tuple[int, int]

    def offset(self, picture: NDArray[np.uint8]) -> ViewOffset:
        """How they lie in a picture; the confidence is the share of all that went the same way."""
        now = marks(picture, self.family)
        # Seen from elsewhere, markers far apart in the view do not go quite the same way.
        found = marks_offset(self.known, now, self.size, max(OFF_PX, OFF_SHARE * self.size[0]))
        if found is None:
            return ViewOffset((0.0, 0.0), 0.0, 1.0, 0.0)
        seen = len(set(self.known) & set(now)) / len(self.known)
        return replace(found, confidence=seen * found.confidence)


def standing(pictures: Sequence[NDArray[np.uint8]]) -> Standing | None:
    """The markers, of whatever family shows most, that stand still in nearly all the pictures."""
    if not pictures:
        return None
    best: Standing | None = None
    height, width = pictures[0].shape[:2]
    for family in FAMILIES:
        # Few views have markers of a family at all, and a look through all of them takes long.
        if not any(marks(pictures[n], family) for n in {0, len(pictures) // 2}):
            continue
        known = _still([marks(each, family) for each in pictures], width)
        if known and (best is None or len(known) > len(best.known)):
            best = Standing(family, known, (width, height))
    return best


def _still(found: Sequence[Marks], width: int) -> Marks:
    known = {}
    for number in sorted({number for each in found for number in each}):
        places = np.array([each[number] for each in found if number in each])
        usual = np.median(places, axis=0)
        near = np.linalg.norm(places - usual, axis=2).max(axis=1) < max(
            STILL_PX, STILL_SHARE * width
        )
        if near.sum() >= SEEN * len(found):
            known[number] = usual
    return known


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


def marks_offset(
    before: Marks, now: Marks, size: tuple[int, int], off_px: float = OFF_PX
) -> ViewOffset | None:
    """How markers seen in both pictures moved; None where none is. size: (width, height) px.

    off_px: a corner farther from where the others went belongs to a marker that was moved.
    The confidence is the share of corners that went the same way.
    """
    same = sorted(set(before) & set(now))
    if not same:
        return None
    middle = (np.array(size) - 1) / 2
    one = np.concatenate([before[number] for number in same]) - middle
    other = np.concatenate([now[number] for number in same]) - middle
    found, agree = cv2.estimateAffinePartial2D(one, other, ransacReprojThreshold=off_px)
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
