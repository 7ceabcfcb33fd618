import numpy as np
import pytest

from calibration.looks import looks, other


def picture(colour, light=1.0, noise=0.0):
    """A grey ramp with a coloured square."""
    plain = np.repeat(np.linspace(60, 180, 64)[None, :, None], 64, axis=0).repeat(3, axis=2)
    plain[20:44, 20:44] = colour
    drawn = light * plain + noise * np.random.default_rng(0).normal(size=plain.shape)
    return np.clip(np.rint(drawn), 0, 255).astype(np.uint8)


RED, BLUE = (200, 20, 20), (20, 20, 200)


def test_half_the_light_is_told_and_is_no_other_colour():
    found = other(looks([picture(RED, light=0.5)]), looks([picture(RED)]))
    assert found.light == pytest.approx(0.5, abs=0.01)
    assert found.hue < 0.05


def test_noise_is_told_in_grey_levels():
    # each channel has sigma 8; grey is 0.299 R + 0.587 G + 0.114 B:
    # 8 sqrt(0.0894 + 0.3446 + 0.0130) = 5.35
    found = other(looks([picture(RED, noise=8.0)]), looks([picture(RED)]))
    assert found.noise == pytest.approx(5.35, rel=0.15)
    assert found.light == pytest.approx(1.0, abs=0.01)


def test_another_colour_is_told_as_the_share_that_lies_elsewhere():
    assert other(looks([picture(BLUE)]), looks([picture(RED)])).hue == pytest.approx(1.0, abs=0.05)
