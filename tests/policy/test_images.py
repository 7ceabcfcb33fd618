"""Camera images to channels."""

import numpy as np
import pytest
import torch
from PIL import Image

from agent.errors import DataError
from agent.policy.images import PIPELINES, crop_middle, resize, to_pixels
from agent.policy.towers import PUBLISHED, normal_of


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
    pixels = to_pixels(image, *normal_of(tuple(PUBLISHED.values())[:2]))
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


def test_the_middle_of_a_picture_is_stretched_to_its_corners():
    rows = np.arange(3, dtype=np.uint8)[:, None, None] * np.ones((1, 3, 3), np.uint8) * 10
    # A quarter of the area is half of each side: places 0.5, 1 and 1.5 of rows 0, 10 and 20.
    assert crop_middle(rows, 0.25)[:, 1, 0].tolist() == [5, 10, 15]
    columns = rows.swapaxes(0, 1)
    assert crop_middle(columns, 0.25)[1, :, 2].tolist() == [5, 10, 15]
    assert (crop_middle(rows, 1.0) == rows).all()


def test_liberos_pictures_go_through_jpeg_and_lose_their_rim():
    image = np.full((256, 256, 3), 40, np.uint8)
    image[:6], image[:, :6] = 250, 250  # 2.3 % of a side; the crop takes 2.6 % off each
    seen = PIPELINES["libero"](image, 224)
    assert seen.shape == (224, 224, 3)
    assert abs(seen[4:, 4:].astype(int) - 40).max() <= 3
    whole = PIPELINES["bridge"](image, 224)
    assert whole[0, 0].min() > 200
    assert (PIPELINES["plain"](image, 256) == image).all()
