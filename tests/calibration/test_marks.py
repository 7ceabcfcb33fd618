"""Markers seen before and now."""

import math

import cv2
import numpy as np
import pytest

from calibration.camera import Intrinsics
from calibration.complaints import CalibrationError
from calibration.marks import FAMILIES, mark_in_camera, marks, marks_offset

SIZE = (320, 240)


def sheet(numbers=(3, 7), family="april_36h11"):
    """A white sheet with markers of 48 px, the first at (60, 60), the others 110 px apart."""
    drawn = np.full((SIZE[1], SIZE[0]), 255, np.uint8)
    dictionary = cv2.aruco.getPredefinedDictionary(FAMILIES[family])
    for place, number in enumerate(numbers):
        mark = cv2.aruco.generateImageMarker(dictionary, number, 48)
        drawn[60:108, 60 + 110 * place : 108 + 110 * place] = mark
    return cv2.GaussianBlur(drawn, (0, 0), 0.8)


def moved(picture, right, down, turn_deg=0.0):
    about = cv2.getRotationMatrix2D(((SIZE[0] - 1) / 2, (SIZE[1] - 1) / 2), -turn_deg, 1.0)
    about[:, 2] += [right, down]
    return cv2.warpAffine(picture, about, SIZE, borderValue=255)


@pytest.mark.parametrize("family", ["april_36h11", "5x5_100"])
def test_markers_tell_how_far_the_view_went(family):
    before = sheet(family=family)
    found = marks_offset(marks(before, family), marks(moved(before, 4.0, -2.5, 3.0), family), SIZE)
    assert found.shift_px == pytest.approx((4.0, -2.5), abs=0.2)
    assert found.rotation_deg == pytest.approx(3.0, abs=0.1)
    assert found.confidence == 1.0


def test_a_marker_that_is_hidden_is_not_missed_and_none_in_both_is_said():
    before = marks(sheet((3, 7)), "april_36h11")
    assert sorted(before) == [3, 7]
    one = marks_offset(before, marks(moved(sheet((3,)), 1.0, 0.0), "april_36h11"), SIZE)
    assert one.shift_px == pytest.approx((1.0, 0.0), abs=0.2)
    assert marks_offset(before, marks(sheet((9,)), "april_36h11"), SIZE) is None


def test_a_marker_of_known_size_tells_its_pose():
    # 48 px at a focal length of 480 px, and a side of 0.05 m: it is 0.5 m away. Its middle, at
    # (83.5, 83.5) px, is 76 px left of and 36 px above the optical centre.
    camera = Intrinsics(
        *SIZE, np.array([[480.0, 0, 159.5], [0, 480.0, 119.5], [0, 0, 1]]), np.zeros(5),
        np.zeros((9, 9)),
    )  # fmt: skip
    pose = mark_in_camera(marks(sheet(), "april_36h11")[3], 0.05, camera)
    assert pose[:3, 3] == pytest.approx([-76 / 960, -36 / 960, 0.5], abs=0.01)
    assert math.degrees(math.acos(min(1.0, -pose[2, 2]))) < 15


def test_an_unknown_family_of_markers_is_refused():
    with pytest.raises(CalibrationError, match="april_36h11 wanted, found 'qr'"):
        marks(sheet(), "qr")
