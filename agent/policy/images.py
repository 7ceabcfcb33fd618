"""Camera images to the six channels the two vision towers want."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from agent.episode import Uint8Array
from agent.errors import DataError


def resize(image: Uint8Array, px: int) -> Uint8Array:
    """Bring an image (h, w, 3) to (px, px, 3), bicubic, aspect ratio not kept; as it is if equal.

    Raises DataError for anything but uint8 RGB.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise DataError(f"an image must be (h, w, 3) uint8; found {image.shape} {image.dtype}")
    if image.shape[:2] == (px, px):
        return image
    smaller = Image.fromarray(image).resize((px, px), Image.Resampling.BICUBIC)
    return np.asarray(smaller, dtype=np.uint8)


def to_pixels(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Normalise images (B, C, px, px, 3) uint8 to (B, C, 6, px, px) float32.

    mean, std: (6,) of pixels in 0 .. 1; the first three channels are for DINOv2.
    """
    shape = (1, 1, 6, 1, 1)
    mean_, std_ = (torch.tensor(v, device=images.device).view(shape) for v in (mean, std))
    unit = images.permute(0, 1, 4, 2, 3).float() / 255
    return (torch.cat([unit, unit], 2) - mean_) / std_
