"""Camera images to channels."""

import numpy as np
import pytest
import torch
from PIL import Image

from agent.errors import DataError
from agent.policy.config import PIXEL_MEAN, PIXEL_STD
from agent.policy.images import resize, to_pixels


def test_an_image_of_the_right_size_is_not_touched():
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    assert resize(image, 32) is image


def test_another_size_is_resized_as_pil_does_without_keeping_the_aspect_ratio():
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    wanted = Image.fromarray(image).resize((32, 32), Image.Resampling.BICUBIC)
    assert (resize(image, 32) == np.asarray(wanted)).all()


def test_a_white_red_pixel_is_normalised_once_for_each_tower():
    image = torch.zeros(1, 1, 2, 2, 3, dtype=torch.uint8)
    image[..., 0] = 255
    pixels = to_pixels(image, PIXEL_MEAN, PIXEL_STD)
    assert pixels.shape == (1, 1, 6, 2, 2)
    # (1 - 0.484375) / 0.228515625 = 2.25641; (0 - 0.455078125) / 0.2236328125 = -2.03493;
    # (0 - 0.40625) / 0.224609375 = -1.80870; SigLIP: 1 and -1.
    wanted = torch.tensor([2.25641, -2.03493, -1.80870, 1.0, -1.0, -1.0])
    torch.testing.assert_close(pixels[0, 0, :, 1, 1], wanted, atol=1e-5, rtol=0)


def test_rows_and_columns_stay_where_they_are():
    image = torch.zeros(1, 1, 4, 4, 3, dtype=torch.uint8)
    image[0, 0, 1, 3, 2] = 255
    bright = to_pixels(image, (0.0,) * 6, (1.0,) * 6)[0, 0].nonzero().tolist()
    assert bright == [[2, 1, 3], [5, 1, 3]]


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4, 3)), np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8)]
)
def test_anything_but_rgb_bytes_is_refused(image):
    with pytest.raises(DataError, match="uint8"):
        resize(image, 4)
