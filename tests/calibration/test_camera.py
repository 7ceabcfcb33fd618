"""A camera is found again from what it saw, and says how far it can be trusted."""

import dataclasses

import numpy as np
import pytest

from benchmarks.board_scene import TRUE
from calibration.board import Board, Seen
from calibration.camera import PARAMETERS, calibrate, locate, project, shifted
from calibration.complaints import CalibrationError
from calibration.rigid import apart, motion
from tests.calibration.views import views

FOUR = ([0, 1, 0, 1], [0, 1, 2, 2])  # fx, fy, cx, cy


def fit(seen):
    return calibrate(Board(), seen, TRUE.width_px, TRUE.height_px)


def test_perfect_corners_give_the_camera_back():
    found = fit(views(12, noise_px=0.0)[1])
    assert found.intrinsics.matrix == pytest.approx(TRUE.matrix, abs=0.02)
    assert found.intrinsics.distortion == pytest.approx(TRUE.distortion, abs=2e-3)
    assert found.rms_px < 1e-3


def test_the_stated_deviations_are_those_of_repeated_calibrations():
    fits = [fit(views(15, seed=seed, noise_px=0.1)[1]).intrinsics for seed in range(12)]
    off = np.array([f.matrix[FOUR] - TRUE.matrix[FOUR] for f in fits])
    told = np.array([[f.deviations[name] for name in PARAMETERS[:4]] for f in fits])
    # squared errors in units of the stated variance: their mean over 48 numbers is 1, and outside
    # [0.5, 2] once in a thousand times if they are right
    assert 0.5 < float((off**2 / told**2).mean()) < 2.0


def test_a_view_that_does_not_fit_is_left_out_and_named():
    _, seen = views(14)
    rng = np.random.default_rng(1)
    seen[4] = Seen(seen[4].ids, seen[4].corners_px + rng.normal(0, 4, seen[4].corners_px.shape))
    found = fit(seen)
    assert found.left_out == (4,)
    assert found.intrinsics.matrix[FOUR] == pytest.approx(TRUE.matrix[FOUR], abs=1.0)


def test_a_board_never_tilted_is_refused():
    with pytest.raises(CalibrationError, match="tilt the board"):
        fit(views(12, steepest_deg=4.0)[1])


def test_too_few_views_are_refused():
    with pytest.raises(CalibrationError, match=r"8 pictures .* found 5 among 7"):
        fit([*views(5)[1], None, None])


def test_a_board_that_is_not_the_one_printed_is_refused():
    # corners of an 8 x 6 board read as those of one with 6 x 8
    with pytest.raises(CalibrationError, match="residuals below"):
        calibrate(Board(6, 8), views(12)[1], TRUE.width_px, TRUE.height_px)


def test_a_board_is_located_where_it_is():
    pose = motion([0.2, -0.1, 0.3], [-0.1, -0.08, 0.4])
    seen = Seen(np.arange(35), project(Board().corners_m, pose, TRUE))
    far_m, turned_rad = apart(pose, locate(Board(), seen, TRUE))
    assert far_m < 1e-6
    assert turned_rad < 1e-5


def test_shifting_a_camera_changes_the_named_number_alone():
    moved = shifted(TRUE, np.array([0, 0, 3.0, 0, 0, 0, 0.25, 0, 0]))
    assert moved.matrix[0, 2] == TRUE.matrix[0, 2] + 3.0
    assert moved.distortion[2] == TRUE.distortion[2] + 0.25
    same = dataclasses.replace(moved, matrix=TRUE.matrix, distortion=TRUE.distortion)
    assert same == TRUE
