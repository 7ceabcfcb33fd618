"""Films, read back frame by frame."""

import io

import numpy as np
import pytest

av = pytest.importorskip("av")

from agent.errors import DataError  # noqa: E402
from agent.export import film  # noqa: E402


def moving(count, h=49, w=63):
    """A bright bar on a slope that moves right by two pixels an image."""
    slope = np.linspace(20, 120, w)[None, :, None] * np.ones((h, 1, 3))
    for index in range(count):
        image = slope.copy()
        image[:, 2 * index : 2 * index + 6] = 220
        yield image.astype(np.uint8)


def test_frames_come_back_in_order_at_their_times_and_near_to_the_bit():
    data = film.encode(moving(20), 12.5)
    with av.open(io.BytesIO(data)) as found:
        frames = list(found.decode(video=0))
    assert [frame.time for frame in frames] == [index / 12.5 for index in range(20)]
    for frame, image in zip(frames, moving(20), strict=True):
        error = frame.to_ndarray(format="rgb24").astype(float) - film.even(image)
        assert 10 * np.log10(255**2 / np.mean(error**2)) > 35  # decibels


def test_an_odd_side_is_made_even_by_doubling_its_last_row():
    image = next(moving(1))
    grown = film.even(image)
    assert grown.shape == (50, 64, 3)
    np.testing.assert_array_equal(grown[:49, :63], image)
    np.testing.assert_array_equal(grown[49, :63], image[48])


def test_the_same_images_make_the_same_bytes():
    assert film.encode(moving(5), 10) == film.encode(moving(5), 10)


def test_no_image_makes_no_film():
    with pytest.raises(DataError, match="at least one image"):
        film.encode(iter(()), 10)
