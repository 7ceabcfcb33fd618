"""How a camera's pictures look, apart from what is where in them: brightness, noise and hues."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]
Uint8Array = NDArray[np.uint8]

HUES = 24
COLOURED = 0.35  # saturation above which a pixel has a hue worth counting
NOISE_FLOOR = 0.5  # grey levels


@dataclass(frozen=True, slots=True)
class Looks:
    """brightness: mean grey level. noise: its sigma, grey levels (Immerkaer 1996, on flat parts).

    hues: (HUES,) shares of the coloured pixels, smoothed.
    """

    brightness: float
    noise: float
    hues: Float64Array


@dataclass(frozen=True, slots=True)
class OtherLooks:
    """light: factor on brightness. noise: grey levels more. hue: share of colours elsewhere."""

    light: float
    noise: float
    hue: float


def looks(pictures: Sequence[Uint8Array]) -> Looks:
    """How pictures (h, w, 3) RGB look, the median over them."""
    bright, noise = [], []
    hues = np.zeros(HUES)
    for picture in pictures:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float64)
        bright.append(grey.mean())
        noise.append(_noise(grey))
        hues += _hues(picture)
    spread = np.convolve(np.concatenate([hues[-2:], hues, hues[:2]]), [0.25, 0.5, 0.25], "same")
    shares = spread[2:-2] / max(float(spread[2:-2].sum()), 1e-9)
    return Looks(float(np.median(bright)), float(np.median(noise)), shares)


def other(now: Looks, before: Looks) -> OtherLooks:
    """How looks differ from those they had."""
    return OtherLooks(
        light=now.brightness / max(before.brightness, 1.0),
        noise=math.sqrt(max(now.noise**2 - before.noise**2, 0.0)),
        hue=0.5 * float(np.abs(now.hues - before.hues).sum()),
    )


def _noise(grey: Float64Array) -> float:
    """Sigma of white noise: what a mask that no plane and no edge passes leaves, the median of."""
    left = cv2.filter2D(grey, -1, np.array([[1.0, -2, 1], [-2, 4, -2], [1, -2, 1]]))
    inside = np.abs(left[1:-1, 1:-1])
    middle = grey[1:-1, 1:-1]
    flat = (middle > 8) & (middle < 247)
    # The mask's own gain is 6; the median of |normal| is 0.6745 sigma.
    return float(np.median(inside[flat])) / (6.0 * 0.6745) if flat.sum() > 50 else NOISE_FLOOR


def _hues(picture: Uint8Array) -> Float64Array:
    soft = cv2.GaussianBlur(picture, (0, 0), 1.0)
    hue, saturation, value = (
        plane.astype(np.float64) for plane in cv2.split(cv2.cvtColor(soft, cv2.COLOR_RGB2HSV_FULL))
    )
    coloured = (saturation > COLOURED * 255.0) & (value > 0.25 * value.max())
    found, _ = np.histogram(hue[coloured], bins=HUES, range=(0.0, 256.0))
    return np.asarray(found / max(int(coloured.sum()), 1), np.float64)
