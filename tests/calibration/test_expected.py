import numpy as np
import pytest

from calibration.complaints import CalibrationError
from calibration.expected import SIDE, expect, lay

Y, X = np.mgrid[0:SIDE, 0:SIDE].astype(float)


def scene(poses, rng, right=0.0, down=0.0, turn_deg=0.0, light=1.0):
    """An arm that stands where its pose says, beside a block that never moves, and a stray thing.

    Drawn as seen by a camera that is off: all lies further right and down, and turned clockwise.
    """
    pictures = []
    angle, middle = np.radians(turn_deg), (SIDE - 1) / 2
    x, y = X - middle - right, Y - middle - down
    x, y = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    for pose in poses:
        stray = rng.uniform(-15, 15, 2)
        arm = np.exp(-(((x - 20 * pose[0]) / 4) ** 2 + ((y - 20 * pose[1]) / 6) ** 2))
        block = (np.abs(x + 14) < 4) & (np.abs(y - 15) < 5)
        thing = np.hypot(x - stray[0], y - stray[1]) < 2.0
        pictures.append(light * np.where(thing, 150.0, 200.0 - 150.0 * arm - 90.0 * block))
    return np.array(pictures, np.float32)


def drawn(count, seed, **moved):
    rng = np.random.default_rng(seed)
    poses = np.hstack([rng.uniform(-0.5, 0.5, (count, 3)), np.zeros((count, 4))])
    return poses, scene(poses, rng, **moved), [row // 12 for row in range(count)]


@pytest.fixture(scope="module")
def known():
    poses, views, _ = drawn(400, 0)
    return expect(poses, views)


def test_a_camera_that_stayed_is_told_so_in_any_light(known):
    laid = lay(known, *drawn(96, 1, light=0.5))
    assert SIDE * laid.length < 0.3
    assert abs(laid.rotation_deg) < 0.5
    assert laid.scale == pytest.approx(1.0, abs=0.01)
    assert laid.light == pytest.approx(0.5, abs=0.02)
    assert laid.agreement > 0.9


def test_a_camera_that_moved_and_rolled_is_told_by_how_much(known):
    laid = lay(known, *drawn(96, 2, right=3.0, down=-2.0, turn_deg=6.0))
    assert SIDE * laid.right == pytest.approx(3.0, abs=0.4)
    assert SIDE * laid.down == pytest.approx(-2.0, abs=0.4)
    # what is expected of an arm far out is blurred, and turns read up to a sixth too large
    assert laid.rotation_deg == pytest.approx(6.0, rel=1 / 6)
    assert laid.before < laid.agreement


def test_a_view_that_is_far_off_is_found_by_searching(known):
    laid = lay(known, *drawn(96, 3, right=-8.0, down=5.0))
    assert SIDE * laid.right == pytest.approx(-8.0, abs=0.6)
    assert SIDE * laid.down == pytest.approx(5.0, abs=0.6)


def test_too_few_pictures_are_refused(known):
    with pytest.raises(CalibrationError, match="24 pictures wanted, found 12"):
        lay(known, *drawn(12, 4))
    with pytest.raises(CalibrationError, match="found 30"):
        expect(*drawn(30, 5)[:2])
