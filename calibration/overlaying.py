"""Lays one picture over another by Gauss-Newton, coarse to fine: shift, turn, scale and light.

Baker and Matthews (2004), "Lucas-Kanade 20 years on", inverse compositional, with a gain and a
bias for the light and Tukey's weights for what is in the way, from the best of a coarse grid.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.rigid import Float64Array

Float32Array = NDArray[np.float32]
BoolArray = NDArray[np.bool_]

COARSEST_PX = 24
FARTHEST = 0.3  # of the width, the shifts that are tried at first
TURNS_DEG = (0.0, -6.0, 6.0)
STARTS = 4  # of the coarse grid, followed up
ROUNDS = 30
SETTLED = 5e-3  # px: a step that ends the search
TUKEY = 4.0
# What is believed before looking, as deviations: keeps what the picture does not tell near nought.
PRIOR_SHIFT, PRIOR_TURN_RAD, PRIOR_SCALE = 0.3, 0.25, 0.15
LEAST_EDGE = 0.03  # of log brightness a px: less is no edge to hold on to


@dataclass(frozen=True, slots=True)
class Level:
    """One scale of the two pictures, in log brightness.

    trust: (h, w) 1 / spread, 0 where nothing is known.
    """

    typical: Float32Array
    trust: Float32Array
    seen: Float32Array
    slopes: Float32Array  # (n, 6) of the residual over shift (2), turn, log scale, gain, bias

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width, px."""
        return self.typical.shape[0], self.typical.shape[1]


def levels_of(typical: Float32Array, trust: Float32Array, seen: Float32Array) -> list[Level]:
    """Both pictures (h, w) in log brightness, coarse to fine."""
    levels = [_level(typical, trust, seen)]
    while levels[0].shape[1] // 2 >= COARSEST_PX:
        width = levels[0].shape[1] // 2
        parts = [smaller(each, width) for each in (typical, trust, seen)]
        levels.insert(0, _level(*parts))
    return levels


def _level(typical: Float32Array, trust: Float32Array, seen: Float32Array) -> Level:
    height, width = typical.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x, y = x - (width - 1) / 2, y - (height - 1) / 2
    across = cv2.Sobel(typical, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(typical, cv2.CV_32F, 0, 1, scale=1 / 8)
    gain = typical - float(np.median(typical))
    turned, grown = down * x - across * y, across * x + down * y
    slopes = np.stack([across, down, turned, grown, -gain, -np.ones_like(gain)], -1)
    return Level(typical, trust, seen, slopes.reshape(-1, 6))


def edges(level: Level) -> BoolArray:
    """Where the reference has something to hold on to (h, w)."""
    steep = np.hypot(level.slopes[:, 0], level.slopes[:, 1]).reshape(level.shape)
    known = level.trust > 0
    return np.asarray((steep > LEAST_EDGE) & known, np.bool_)


def laid(levels: Sequence[Level], *, thorough: bool) -> Float64Array:
    """Motion of the finest level: right (px), down (px), clockwise (rad), log scale."""
    motions = _starts(levels[0]) if thorough else [np.zeros(4)]
    for number, level in enumerate(levels):
        if number:
            finer = level.shape[1] / levels[number - 1].shape[1]
            motions = [motion * [finer, finer, 1.0, 1.0] for motion in motions]
        motions = [_refined(level, motion) for motion in motions]
        motions.sort(key=partial(_cost, level))
        motions = motions[: max(1, len(motions) // 2)]
    return motions[0]


def _starts(level: Level) -> list[Float64Array]:
    """The best few of a grid of motions."""
    far = round(FARTHEST * level.shape[1])
    tried = [
        np.array([right, down, math.radians(turn), 0.0])
        for turn in TURNS_DEG
        for right in range(-far, far + 1, 2)
        for down in range(-far, far + 1, 2)
    ]
    costs = [_cost(level, motion) for motion in tried]
    return [tried[number] for number in np.argsort(costs)[:STARTS]]


def _refined(level: Level, motion: Float64Array) -> Float64Array:
    """Gauss-Newton from a motion: (right px, down px, clockwise rad, log scale)."""
    width = level.shape[1]
    believed = (PRIOR_SHIFT * width, PRIOR_SHIFT * width, PRIOR_TURN_RAD, PRIOR_SCALE, 0.5, 2.0)
    prior = 1.0 / np.square(believed)
    light = _light(level, motion)
    for number in range(ROUNDS):
        seen, trust = _warped(level, motion)
        left = (seen - level.typical).ravel() + level.slopes[:, 4:] @ light
        # What is far off may be an edge that is not yet in place: let go of it little by little.
        weight = _weights(left * trust, TUKEY * max(1.0, 4.0 - number / 2)) * trust**2
        heavy = level.slopes * weight[:, None]
        pull = prior * np.concatenate([motion, light])
        step = np.linalg.solve(heavy.T @ level.slopes + np.diag(prior), heavy.T @ left + pull)
        light = light - step[4:]
        motion = _less(motion, step[:4])
        if number > 6 and max(np.abs(step[:2]).max(), np.abs(step[2:4]).max() * width) < SETTLED:
            break
    return motion


def _light(level: Level, motion: Float64Array) -> Float64Array:
    """Gain and bias to begin with, (2,): no gain, and the bias of the median pixel."""
    seen, trust = _warped(level, motion)
    known = trust > 0
    if not known.any():
        return np.zeros(2)
    return np.array([0.0, float(np.median((seen - level.typical).ravel()[known]))])


def _warped(level: Level, motion: Float64Array) -> tuple[Float32Array, Float64Array]:
    """The picture as it would lie over the reference (h, w), and how far to trust it (h * w,)."""
    right, down, turn, log_scale = (float(value) for value in motion)
    cosine, sine = math.exp(log_scale) * math.cos(turn), math.exp(log_scale) * math.sin(turn)
    middle = (np.array(level.shape[::-1]) - 1) / 2
    about = np.array([[cosine, -sine], [sine, cosine]])
    affine = np.column_stack([about, [middle[0] + right, middle[1] + down] - about @ middle])
    height, width = level.shape
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(level.seen, affine, (width, height), flags=flags, borderValue=np.nan)
    outside = np.isnan(seen)
    return np.where(outside, level.typical, seen), np.where(outside, 0.0, level.trust).ravel()


def _weights(off: Float64Array, width: float) -> Float64Array:
    """Tukey's biweight of residuals in deviations, scaled by their own median where it is above."""
    known = off[off != 0]
    scale = max(1.0, 1.4826 * float(np.median(np.abs(known)))) if known.size else 1.0
    return np.square(np.maximum(1.0 - np.square(off / (width * scale)), 0.0))


def _less(motion: Float64Array, step: Float64Array) -> Float64Array:
    """A motion after the inverse of a small one."""
    turn, log_scale = motion[2] - step[2], motion[3] - step[3]
    cosine, sine = math.cos(turn), math.sin(turn)
    moved = math.exp(log_scale) * np.array([[cosine, -sine], [sine, cosine]]) @ step[:2]
    return np.array([*(motion[:2] - moved), turn, log_scale])


def _cost(level: Level, motion: Float64Array) -> float:
    """Tukey's loss a pixel; a pixel that left the picture costs as much as one that is wrong."""
    seen, trust = _warped(level, motion)
    gain, bias = _light(level, motion)
    left = (seen - level.typical).ravel() * (1 + gain) - bias
    off = np.minimum(np.square(left * trust / (2 * TUKEY)), 1.0)
    loss = 1.0 - (1.0 - off) ** 3
    known = level.trust.ravel() > 0
    # Plain pixels fit everywhere: what tells is where the reference has something.
    telling = np.hypot(level.slopes[:, 0], level.slopes[:, 1]) + 0.02
    lost = known & (trust == 0)
    return float(((loss + lost) * telling)[known].sum() / telling[known].sum())


def agreement(level: Level, motion: Float64Array) -> float:
    """Correlation of the slopes of picture and reference around the reference's edges, 0 .. 1."""
    seen, trust = _warped(level, motion)
    around = cv2.dilate(edges(level).astype(np.uint8), np.ones((3, 3), np.uint8)).ravel() > 0
    weight = np.where(around, trust, 0.0) ** 2
    if not weight.any():
        return 0.0
    pairs = []
    for axis in (0, 1):
        steps = (int(axis == 0), int(axis == 1))
        ours = cv2.Sobel(seen, cv2.CV_32F, *steps, scale=1 / 8).ravel()
        pairs.append((level.slopes[:, axis], ours))
    mixed = sum(float((weight * one * other).sum()) for one, other in pairs)
    own = sum(float((weight * one**2).sum()) for one, _ in pairs)
    theirs = sum(float((weight * other**2).sum()) for _, other in pairs)
    return max(0.0, mixed / math.sqrt(own * theirs)) if own * theirs > 0 else 0.0


def smaller(values: Float32Array, width: int) -> Float32Array:
    """A picture (h, w) at another width."""
    height = max(1, round(values.shape[0] * width / values.shape[1]))
    if values.shape == (height, width):
        return values
    return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA), np.float32)
