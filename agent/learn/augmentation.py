"""Pictures changed at random while cloning, so that the clone bears other light and cameras."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from calibration.tint import hue_matrix

# At a strength of 1; each is drawn evenly up to that, for every view, and alike for its cameras but
# for the place, which each camera has of its own.
LIGHT, CONTRAST, SATURATION = math.log(3.0), math.log(1.5), math.log(1.8)  # factors
HUE_TURNS = 0.08  # more would make another colour's name true
NOISE = 16.0 / 255.0  # sigma
SHIFT, TURN = 0.08, math.radians(5.0)  # share of the width, rad
LUMA = np.full(3, 1.0 / 3.0)


def augmented(images: Tensor, strength: float, seed: tuple[int, ...]) -> Tensor:
    """Change pictures (b, c, px, px, 3) uint8; the same seed changes them alike.

    Light, contrast, saturation and hue are one affine map of the colours, the place another of the
    picture, whose edge pixels are repeated beyond it; then noise. strength: 0 .. 1.
    """
    draw = np.random.default_rng((*seed, 1))  # not the numbers that choose the frames
    count, cameras, px = images.shape[:3]
    unit = images.permute(0, 1, 4, 2, 3).float() / 255
    maps = [_colours(draw, strength) for _ in range(count)]
    colours = torch.from_numpy(np.stack([each for each, _ in maps])).float()
    bias = torch.from_numpy(np.stack([each for _, each in maps])).float()
    mixed = torch.einsum("bij,bcjhw->bcihw", colours, unit) + bias[:, None, :, None, None]
    places = np.stack([_place(draw, strength) for _ in range(count * cameras)])
    size = [count * cameras, 3, px, px]
    grid = affine_grid(torch.from_numpy(places).float(), size, align_corners=False)
    moved = grid_sample(mixed.flatten(0, 1), grid, padding_mode="border", align_corners=False)
    generator = torch.Generator().manual_seed(int(draw.integers(2**62)))
    sigma = torch.from_numpy(draw.uniform(0.0, strength * NOISE, count)).float()
    noise = torch.randn(moved.shape, generator=generator).view(count, cameras, 3, px, px)
    seen = moved.view(count, cameras, 3, px, px) + sigma[:, None, None, None, None] * noise
    return (255 * seen.clamp(0.0, 1.0)).round().byte().permute(0, 1, 3, 4, 2).contiguous()


def _colours(
    draw: np.random.Generator, strength: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A map of colours: (3, 3) and what is added, (3,)."""
    light, contrast, saturation = np.exp(
        draw.uniform(-strength, strength, 3) * (LIGHT, CONTRAST, SATURATION)
    )
    hue = hue_matrix(float(draw.uniform(-strength, strength)) * HUE_TURNS)
    grey = np.tile(LUMA, (3, 1))
    coloured = saturation * np.eye(3) + (1.0 - saturation) * grey
    middle = 0.5 * (1.0 - contrast) * light
    return light * contrast * coloured @ hue, np.full(3, middle)


def _place(draw: np.random.Generator, strength: float) -> NDArray[np.float64]:
    """Where in a picture what is to be seen lies, (2, 3), both from -1 to 1."""
    right, down = 2.0 * SHIFT * draw.uniform(-strength, strength, 2)
    turn = TURN * float(draw.uniform(-strength, strength))
    cosine, sine = math.cos(turn), math.sin(turn)
    return np.array([[cosine, -sine, right], [sine, cosine, down]])
