"""How far a view is off its reference, on pictures whose motion is known."""

import math

import cv2
import numpy as np
import pytest

from calibration.complaints import CalibrationError
from calibration.view import ViewOffset, camera_move, laid_over, reference, register

SIZE = (128, 96)


def scene(seed=0):
    """Blocks of other greys before a grey ground, twice as large as what the camera shows."""
    rng = np.random.default_rng(seed)
    drawn = np.full((2 * SIZE[1], 2 * SIZE[0]), 150, np.uint8)
    for _ in range(60):
        x, y = rng.integers(0, 2 * SIZE[0]), rng.integers(0, 2 * SIZE[1])
        w, h = rng.integers(8, 30, 2)
        drawn[y : y + h, x : x + w] = rng.integers(20, 250)
    return cv2.GaussianBlur(drawn, (0, 0), 1.0)


def seen(right=0.0, down=0.0, turn_deg=0.0, scale=1.0, *, light=1.0, thing=None, seed=0):
    """The scene as a camera shows it that sees everything moved by this much."""
    c, s = (scale * f(math.radians(turn_deg)) for f in (math.cos, math.sin))
    about = np.array([[c, -s], [s, c]])
    middle = (np.array(SIZE) - 1) / 2
    place = np.array([middle[0] + right, middle[1] + down]) - about @ (middle + np.array(SIZE) / 2)
    affine = np.column_stack([about, place])
    drawn = cv2.warpAffine(scene(), affine, SIZE, flags=cv2.INTER_CUBIC).astype(np.float64)
    if thing is not None:
        drawn[thing[1] : thing[1] + 25, thing[0] : thing[0] + 25] = 40
    drawn = light * drawn + np.random.default_rng(seed).normal(0, 1.5, drawn.shape)
    return np.clip(np.rint(drawn), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("right", "down", "turn_deg", "scale"),
    [(0, 0, 0, 1), (0.6, -0.3, 0, 1), (7, 11, 0, 1), (-3, 2, 4, 1), (1, 1, -1, 1.05)],
)
def test_a_known_motion_is_found_in_another_light_with_a_thing_in_the_way(
    right, down, turn_deg, scale
):
    known = reference([seen(seed=number) for number in range(3)])
    found = register(known, seen(right, down, turn_deg, scale, light=0.6, thing=(50, 20), seed=9))
    assert found.shift_px == pytest.approx((right, down), abs=0.12)
    assert found.rotation_deg == pytest.approx(turn_deg, abs=0.1)
    assert found.scale == pytest.approx(scale, abs=0.003)
    assert found.confidence > 0.6  # the thing in the way hides an eighth of the edges


def test_what_moved_among_the_reference_pictures_does_not_count():
    # A dark thing is elsewhere in each; a mask or a median alone would keep its edges.
    spots = [(10, 10), (60, 15), (30, 55), (85, 50), (15, 60)]
    known = reference([seen(thing=spot, seed=n) for n, spot in enumerate(spots)])
    found = register(known, seen(2.0, 0.0, thing=(45, 35), seed=9))
    assert found.shift_px == pytest.approx((2.0, 0.0), abs=0.1)


def test_a_mask_hides_what_is_not_static():
    # The right half moved by 6 px and the left one stayed.
    moved = seen()
    moved[:, 64:] = seen(6.0)[:, 64:]
    left = np.zeros((SIZE[1], SIZE[0]), bool)
    left[:, :58] = True
    assert register(reference([seen(seed=1)], left), moved).length_px < 0.15


def test_an_empty_view_says_nothing_with_no_confidence():
    plain = np.full((96, 128, 3), 200, np.uint8)
    assert register(reference([plain]), plain) == ViewOffset((0.0, 0.0), 0.0, 1.0, 0.0)


def test_another_scene_is_told_from_a_moved_one_by_its_confidence():
    known = reference([seen(seed=n) for n in range(3)])
    other = cv2.resize(scene(5)[:96, :128], SIZE)
    assert register(known, other).confidence < 0.4


def test_pictures_of_other_sizes_are_refused_by_name():
    with pytest.raises(CalibrationError, match="one picture or more wanted"):
        reference([])
    with pytest.raises(CalibrationError, match=r"one size wanted.*\(95, 128\).*\(96, 128\)"):
        reference([seen(), seen()[1:]])
    with pytest.raises(CalibrationError, match=r"128 x 96 px wanted.*found 128 x 95"):
        register(reference([seen()]), seen()[1:])


def test_a_shift_is_told_as_a_turn_and_as_a_move():
    # 10 px to the right at a focal length of 500 px: the camera turned left by atan(0.02), 1.1458
    # degrees, or went left by 0.02 * 0.8 m. Things 25 % larger at 0.8 m: it stands at 0.64 m.
    moved = camera_move(ViewOffset((10.0, 0.0), 2.0, 1.25, 1.0), 500.0, 0.8)
    assert moved.pan_deg == pytest.approx(-1.1458, abs=1e-3)
    assert moved.tilt_deg == 0.0
    assert moved.right_m == pytest.approx(-0.016)
    assert (moved.roll_deg, moved.ahead_m) == (-2.0, pytest.approx(0.16))


def test_two_views_laid_over_each_other_are_grey_where_they_agree():
    one, other = np.full((2, 2), 90, np.uint8), np.array([[90, 90], [90, 200]], np.uint8)
    both = laid_over(one, other)
    assert both[0, 0].tolist() == [90, 90, 90]
    assert both[1, 1].tolist() == [90, 200, 200]
