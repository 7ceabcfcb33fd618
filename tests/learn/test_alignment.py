"""What alignment finds of a camera that looks otherwise, and that it finds nothing elsewhere."""

import math

import cv2
import numpy as np
import pytest

from agent.learn.alignment import estimate
from calibration.tint import HUES, hue_matrix, hues, turned

PX = 96
EVERYWHERE = np.ones((PX, PX), np.bool_)


def scene(seed):
    """A grey, textured table under a camera; coloured things lie elsewhere in each view."""
    texture = np.random.default_rng(5).normal(0.0, 1.0, (PX + 40, PX + 40)).astype(np.float32)
    soft = cv2.GaussianBlur(texture, (0, 0), 3.0)
    table = np.clip(110 + 45 * soft / soft.std(), 20, 200)
    picture = np.repeat(table[..., None], 3, 2).astype(np.uint8)
    draw = np.random.default_rng(seed)
    for colour in ((190, 40, 40), (60, 60, 180)):
        x, y = draw.integers(24, PX - 4, 2)
        picture[y : y + 14, x : x + 14] = colour
    return picture


def views(seeds, change=lambda picture: picture):
    """(n, 1, PX, PX, 3): the middle of each scene, changed."""
    return np.stack([change(scene(seed))[None, 20 : 20 + PX, 20 : 20 + PX] for seed in seeds])


KNOWN, HERE = range(100, 130), range(8)


def test_where_nothing_looks_otherwise_nothing_is_corrected():
    _, (seen,) = estimate(("eye",), views(HERE), views(KNOWN))
    assert str(seen) == "eye: as it was"


def test_half_the_light_is_found_and_made_up_for():
    here = views(HERE, lambda picture: (picture * 0.5).round().astype(np.uint8))
    correction, (seen,) = estimate(("eye",), here, views(KNOWN))
    # Means and deviations are halved, so they are doubled, within what eight views of things say.
    assert seen.gain == pytest.approx(2.0, rel=0.05)
    assert seen.apart_after < 0.1 * seen.apart_before
    assert not correction.moves(0)


def test_a_moved_and_turned_view_is_found_and_laid_back():
    # Things go 6 px right and 4 px up of 96 and turn by 5 degrees clockwise about the middle.
    middle = (20 + PX / 2 - 0.5, 20 + PX / 2 - 0.5)
    move = cv2.getRotationMatrix2D(middle, -5.0, 1.0)
    move[:, 2] += (6.0, -4.0)

    def moved(picture):
        return cv2.warpAffine(picture, move, picture.shape[1::-1], flags=cv2.INTER_LINEAR)

    correction, (seen,) = estimate(("eye",), views(HERE, moved), views(KNOWN))
    assert seen.right * PX == pytest.approx(6.0, abs=0.5)
    assert seen.down * PX == pytest.approx(-4.0, abs=0.5)
    assert seen.turn_deg == pytest.approx(5.0, abs=0.5)
    assert correction.moves(0)
    assert seen.apart_after < 0.35 * seen.apart_before


def test_turned_hues_are_found_and_turned_back():
    def hued(picture):
        mixed = picture.astype(np.float64) @ hue_matrix(0.25).T
        return np.clip(mixed.round(), 0, 255).astype(np.uint8)

    correction, (seen,) = estimate(("eye",), views(HERE, hued), views(KNOWN))
    assert seen.hue_turns == pytest.approx(0.25, abs=1.5 / HUES)
    turned_back = correction.colours[0].double().numpy() @ hue_matrix(0.25)
    np.testing.assert_allclose(turned_back, np.eye(3), atol=0.15)


def test_a_third_of_the_wheel_makes_green_of_red():
    np.testing.assert_allclose(hue_matrix(1 / 3) @ (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), atol=1e-12)
    red, green = (np.full((1, PX, PX, 3), c, np.uint8) for c in ((200, 0, 0), (0, 200, 0)))
    found = turned(hues(green, EVERYWHERE)[0], hues(red, EVERYWHERE)[0])
    assert math.isclose(found.turns, 1 / 3)
    assert found.likeness == pytest.approx(1.0)
