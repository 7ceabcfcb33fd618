"""What a guide says next while pictures of a board are taken."""

import numpy as np

from benchmarks.board_scene import TRUE, looks_at
from calibration.board import Board, draw
from calibration.coverage import coverage, spoilt
from tests.calibration.views import MIDDLE, one_view, views

SIZE = (TRUE.width_px, TRUE.height_px)


def test_nothing_seen_asks_for_the_first_corner_of_the_picture():
    found = coverage(Board(), [None, None], *SIZE)
    assert found.views == 0
    assert found.wish == "bring the board to the top, far left of the picture"
    assert found.share == 0.0


def test_a_board_held_flat_everywhere_is_asked_to_tilt():
    rng = np.random.default_rng(0)
    flat = []
    for x in np.linspace(-0.1, 0.1, 5):
        for y in np.linspace(-0.1, 0.1, 4):
            place = looks_at(MIDDLE + np.array([x, y, 0.0]), 0.35, rng, steepest_deg=3.01)
            flat.append(one_view(Board(), place, rng, 0.0))
    found = coverage(Board(), flat, *SIZE)
    assert found.covered.all()
    # tilted by 3 degrees, no view counts as tilted
    assert found.tilted == 0
    assert found.wish == "tilt the board: 0 of 8 tilted views"


def test_many_varied_views_leave_nothing_to_wish():
    found = coverage(Board(), views(60)[1], *SIZE)
    assert found.wish == ""
    assert found.share == 1.0


def test_a_spoilt_picture_says_what_to_do():
    good = (40 + 0.7 * draw(Board(), 60, 30)).astype(np.uint8)  # 40 to 218, as in a room
    assert spoilt(good) == ""
    assert spoilt(good // 8).startswith("too dark")
    assert spoilt(np.full((480, 640, 3), 128, np.uint8)).startswith("blurred")
    assert spoilt(np.full((480, 640), 255, np.uint8)).startswith("burnt out")
