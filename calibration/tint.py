"""How light and hues of pictures differ: means and spreads of colours, and a turned wheel."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Uint8Array = NDArray[np.uint8]

HUES = 72
GREYEST = 0.15  # chroma below which a pixel has no hue worth counting
SOFT = np.array([1.0, 3.0, 4.0, 3.0, 1.0]) / 12.0  # over neighbouring hues
DARKEST = 0.01  # deviation of a picture that shows nothing


@dataclass(frozen=True, slots=True)
class Turned:
    """How far hues are turned against others, in turns of the wheel, -0.5 .. 0.5.

    likeness: of the two once turned back, 0 .. 1. as_it_is: of the two without.
    """

    turns: float
    likeness: float
    as_it_is: float


def levels(pictures: Uint8Array, counted: BoolArray) -> Float64Array:
    """Mean and log deviation of red, green and blue in 0 .. 1, (n, 6), of pictures (n, h, w, 3).

    counted: (h, w), the pixels that are looked at.
    """
    values = pictures[:, counted].astype(np.float64) / 255.0
    spread = np.log(np.maximum(values.std(1), DARKEST))
    return np.concatenate([values.mean(1), spread], 1)


def hues(pictures: Uint8Array, counted: BoolArray) -> Float64Array:
    """How much of each hue pictures (n, h, w, 3) hold, (n, HUES), weighed by how coloured it is.

    Hue and chroma in the plane across the grey axis (Hanbury 2008), so that light and shade of one
    thing have one hue.
    """
    red, green, blue = np.moveaxis(pictures[:, counted].astype(np.float64) / 255.0, -1, 0)
    across, along = red - (green + blue) / 2.0, math.sqrt(0.75) * (green - blue)
    weight = np.maximum(np.hypot(across, along) - GREYEST, 0.0)
    place = np.floor(np.arctan2(along, across) / (2.0 * math.pi) * HUES).astype(int) % HUES
    rows = [np.bincount(p, w, HUES) for p, w in zip(place, weight, strict=True)]
    return np.asarray(rows, np.float64)


def turned(now: Float64Array, before: Float64Array) -> Turned:
    """How far the hues (HUES,) of now are turned against those of before."""
    ours, theirs = _unit(now), _unit(before)
    alike = np.array([np.roll(ours, -shift) @ theirs for shift in range(HUES)])
    best = int(alike.argmax())
    return Turned(
        (best if best <= HUES // 2 else best - HUES) / HUES, float(alike[best]), float(alike[0])
    )


def hue_matrix(turns: float) -> Float64Array:
    """Turns colours about the grey axis, (3, 3) for red, green and blue (Rodrigues)."""
    cosine, sine = math.cos(2.0 * math.pi * turns), math.sin(2.0 * math.pi * turns)
    cross = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / math.sqrt(3.0)
    return np.asarray(cosine * np.eye(3) + sine * cross + (1.0 - cosine) / 3.0, np.float64)


def _unit(hues_: Float64Array) -> Float64Array:
    soft = sum(part * np.roll(hues_, shift - 2) for shift, part in enumerate(SOFT))
    return np.asarray(soft / max(float(np.linalg.norm(soft)), 1e-9), np.float64)
