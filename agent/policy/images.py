"""Camera images to what the vision towers want, by the pipelines that OpenVLA was trained with."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from agent.episode import Uint8Array
from agent.errors import DataError

JPEG_QUALITY = 95  # what TensorFlow's encode_jpeg takes where nothing is said
CROP_AREA = 0.9  # share of a picture that training with random crops sees on average


def resize(image: Uint8Array, px: int) -> Uint8Array:
    """Bring an image (h, w, 3) to (px, px, 3), bicubic, aspect ratio not kept; as it is if equal.

    Raises DataError for anything but uint8 RGB.
    """
    _check(image)
    if image.shape[:2] == (px, px):
        return image
    smaller = Image.fromarray(image).resize((px, px), Image.Resampling.BICUBIC)
    return np.asarray(smaller, dtype=np.uint8)


def bridge(image: Uint8Array, px: int) -> Uint8Array:
    """As the data set was made: through JPEG, then Lanczos with three lobes to (px, px, 3).

    Pillow's arithmetic in place of TensorFlow's: pixels may differ by a few levels of 255.
    """
    _check(image)
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=JPEG_QUALITY)
    smaller = Image.open(file).resize((px, px), Image.Resampling.LANCZOS)
    return np.asarray(smaller, dtype=np.uint8)


def libero(image: Uint8Array, px: int) -> Uint8Array:
    """As `bridge`, then the middle nine tenths of the area, brought back to (px, px, 3)."""
    return crop_middle(bridge(image, px), CROP_AREA)


# By the name in VLAConfig.images.
PIPELINES: Mapping[str, Callable[[Uint8Array, int], Uint8Array]] = {
    "plain": resize,
    "bridge": bridge,
    "libero": libero,
}


def crop_middle(image: Uint8Array, area: float) -> Uint8Array:
    """Cut out the middle of an image and stretch it to the image's size, bilinear.

    The corners of the cut are the corners of the result, as in TensorFlow's crop_and_resize.
    """
    height, width = image.shape[:2]
    rows, columns = _places(height, area), _places(width, area)
    unit = image.astype(np.float32) / 255.0
    mixed = _between(_between(unit, rows, 0), columns, 1)
    cut: Uint8Array = np.clip(np.floor(mixed * 255.5), 0, 255).astype(np.uint8)
    return cut


def to_pixels(
    images: Tensor,
    mean: Sequence[float],
    std: Sequence[float],
    correct: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Normalise images (B, C, px, px, 3) uint8 to (B, C, 3 or 6, px, px) float32.

    mean, std: three values a tower, of pixels in 0 .. 1; each tower has three channels.
    correct: what is done before to pictures (B, C, 3, px, px) of values in 0 .. 1.
    """
    shape = (1, 1, len(mean), 1, 1)
    mean_, std_ = (torch.tensor(v, device=images.device).view(shape) for v in (mean, std))
    unit = images.permute(0, 1, 4, 2, 3).float() / 255
    unit = unit if correct is None else correct(unit)
    return (torch.cat([unit] * (len(mean) // 3), 2) - mean_) / std_


def _check(image: Uint8Array) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise DataError(f"an image must be (h, w, 3) uint8; found {image.shape} {image.dtype}")


def _places(side: int, area: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    share = min(max(area, 0.0), 1.0) ** 0.5
    return np.linspace((1 - share) / 2, (1 + share) / 2, side) * (side - 1)


def _between(
    image: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    places: np.ndarray[tuple[int], np.dtype[np.float64]],
    axis: int,
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    low = np.minimum(places.astype(int), image.shape[axis] - 2)
    part = (places - low).astype(np.float32).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
    mixed: np.ndarray[tuple[int, ...], np.dtype[np.float32]] = (
        image.take(low, axis) * (1 - part) + image.take(low + 1, axis) * part
    )
    return mixed
