"""A board is printed at its size and found where it is."""

import re

import numpy as np
import pytest
from PIL import Image

from calibration.board import Board, draw, enough, find, save_print
from calibration.complaints import CalibrationError


def test_a_drawn_board_is_found_where_it_was_drawn():
    board = Board()
    seen = find(board, draw(board, 60, margin_px=30))
    # 7 x 5 inner corners; corner (column c, row r) lies at 30 + 60 (c + 1), 30 + 60 (r + 1),
    # half a pixel less because a pixel's middle is its place
    assert len(seen.ids) == 35
    columns, rows = seen.ids % 7, seen.ids // 7
    wanted = np.stack([90 + 60 * columns, 90 + 60 * rows], axis=1) - 0.5
    assert seen.corners_px == pytest.approx(wanted, abs=0.1)
    assert board.corners_m[seen.ids, :2] == pytest.approx((wanted + 0.5 - 30) / 60 * 0.03, abs=1e-7)


def test_a_picture_without_the_board_or_with_another_one_shows_nothing():
    assert find(Board(), np.full((480, 640, 3), 128, np.uint8)) is None
    assert find(Board(dictionary="4x4_50"), draw(Board(), 60, 30)) is None


def test_one_line_of_corners_is_not_enough():
    picture = draw(Board(), 60, 30)
    picture[155:] = 255  # the first row of inner corners, at 90 px, and no other
    assert find(Board(), picture) is None


@pytest.mark.parametrize("name", ["board.pdf", "board.png"])
def test_the_print_has_its_exact_size(name, tmp_path):
    file = tmp_path / name
    width_m, height_m = save_print(Board(), file)
    # 8 squares of 30 mm and 10 mm on both sides; 6 squares, 10 mm on both sides, a 12 mm strip
    assert width_m == pytest.approx(0.26, abs=2e-4)
    assert height_m == pytest.approx(0.212, abs=2e-4)
    if name.endswith("png"):
        with Image.open(file) as image:
            per_inch = image.info["dpi"][0]
            assert image.width / per_inch * 0.0254 == pytest.approx(width_m, rel=1e-4)
    else:
        box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", file.read_bytes())
        points = [float(each) for each in box.groups()]
        # a point is 1/72 inch
        assert points[0] / 72 * 0.0254 == pytest.approx(width_m, abs=1e-4)
        assert points[1] / 72 * 0.0254 == pytest.approx(height_m, abs=1e-4)


def test_a_narrow_board_has_a_whole_bar(tmp_path):
    file = tmp_path / "board.png"
    width_m, _ = save_print(Board(columns=4, rows=5, square_m=0.015, marker_m=0.011), file)
    with Image.open(file) as image:
        page = np.asarray(image)
    per_m = page.shape[1] / width_m
    # the strip of 12 mm is below everything; its first row is the bar, in a margin
    bar = np.flatnonzero(page[page.shape[0] - round(0.012 * per_m) + 2] < 128)
    assert np.ptp(bar) / per_m == pytest.approx(0.1, abs=2e-4)
    assert page[:, -1].min() == 255


@pytest.mark.parametrize("sides", [(1e-5, 5e-6), (1e-3, 5e-4), (0.9, 0.7)])
def test_a_board_that_cannot_be_printed_is_refused(sides, tmp_path):
    with pytest.raises(CalibrationError, match="for printing"):
        save_print(Board(square_m=sides[0], marker_m=sides[1]), tmp_path / "board.png")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"columns": 2}, "3 x 3"),
        ({"marker_m": 0.04}, "marker 0.04"),
        ({"square_m": 30.0}, "metres"),
        ({"dictionary": "7x7_9"}, "5x5_100"),
        ({"columns": 30, "rows": 20, "dictionary": "4x4_50"}, "300 markers"),
    ],
)
def test_a_board_that_cannot_be_is_refused(wrong, said):
    with pytest.raises(CalibrationError, match=said):
        Board(**wrong)


def test_too_few_pictures_with_the_board_are_counted():
    with pytest.raises(CalibrationError, match="found 0 among 2"):
        enough(Board(), [None, None], 8)


def test_another_kind_of_file_is_refused(tmp_path):
    with pytest.raises(CalibrationError, match=r"\.pdf or \.png"):
        save_print(Board(), tmp_path / "board.doc")
