"""A box taught by points: its walls, what the arm reaches of it, and its drawing."""

import numpy as np
import pytest
from PIL import Image

from calibration.complaints import CalibrationError
from calibration.franka import PANDA
from calibration.reach import Reach, tool_of
from calibration.teaching import box_about, draw, reached
from calibration.workspace import Box

HOME = np.array([0.0, -0.2, 0.0, -2.5, 0.0, 2.3, 0.7854])
TABLE = Box((0.36, -0.22, 0.06), (0.62, 0.24, 0.42))


def test_the_box_holds_every_point_with_its_margin():
    box = box_about([(0.4, 0.2, 0.1), (0.6, -0.2, 0.3), (0.5, 0.0, 0.4)], 0.01)
    assert box.low_m == (0.39, -0.21, 0.09)
    assert box.high_m == (0.61, 0.21, 0.41)


def test_a_flat_box_names_the_axis_that_lacks():
    with pytest.raises(CalibrationError, match="found 20 mm along z"):
        box_about([(0.4, 0.2, 0.1), (0.6, -0.2, 0.12)])


def test_the_arm_reaches_the_whole_of_a_box_over_its_table():
    assert reached(TABLE, Reach(PANDA), HOME).share == 1.0


def test_of_a_box_that_goes_too_far_a_part_is_reached():
    # 0.855 m from the base's axis is the longest reach there is
    share = reached(Box((0.36, -0.3, 0.06), (1.1, 0.3, 0.42)), Reach(PANDA), HOME).share
    assert 0.5 <= share < 0.9


def test_a_box_in_millimetres_is_refused():
    with pytest.raises(CalibrationError, match="are the numbers metres"):
        reached(Box((0.3, -200.0, 0.0), (600.0, 200.0, 400.0)), Reach(PANDA), HOME)


def test_a_corner_that_is_no_number_is_told():
    with pytest.raises(CalibrationError, match=r"found \[\[0.4, nan, 0.1\]"):
        box_about([[0.4, np.nan, 0.1], [0.6, 0.2, 0.4]])


def test_a_box_without_home_is_refused():
    with pytest.raises(CalibrationError, match="that holds home"):
        reached(Box((0.6, 0.1, 0.1), (0.8, 0.3, 0.3)), Reach(PANDA), HOME)


def test_the_drawing_shows_the_box_in_its_place(tmp_path):
    file = tmp_path / "box.png"
    draw(TABLE, reached(TABLE, Reach(PANDA), HOME), tool_of(HOME)[:3, 3], file)
    pixels = np.asarray(Image.open(file).convert("RGB")).astype(int)
    blue = (np.abs(pixels - [0x1F, 0x4E, 0x9C]).sum(2) < 30).nonzero()
    # From above: 1.1 m on 480 px from x 70; y = 0.24 is at 70 + 480 * (0.55 - 0.24) / 1.1 = 205.
    assert blue[1].min() == pytest.approx(205, abs=3)
