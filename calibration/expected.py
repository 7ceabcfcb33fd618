"""What a camera should see of the arm at any pose, and how a view is moved against that.

Most of a picture may be a bare table and things that lie elsewhere every time. The arm is where its
joints say: from pictures with the tool's pose each pixel is regressed on the pose, and new pictures
are laid over what the regression expects (Lucas and Kanade 1981, over all pictures at once).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.complaints import CalibrationError

Float64Array = NDArray[np.float64]
Float32Array = NDArray[np.float32]
Uint8Array = NDArray[np.uint8]

SIDE = 48  # px: what is compared
RIDGE = 1e-3
NOISE = 4.0  # grey levels that no pose explains, at least
STEPS = 25
SEARCHED = 12  # pictures that the coarse search looks at
LEAST_VIEWS = 24
GRID = (-9.0, -6.0, -3.0, 0.0, 3.0, 6.0, 9.0)
ROLLS = (-0.2, 0.0, 0.2)


@dataclass(frozen=True, slots=True)
class Expected:
    """Grey pictures (SIDE, SIDE) as functions of a pose (p,).

    middle, reach: (p,) of the poses it was made from. weights: (features, SIDE * SIDE) float32.
    spread: (SIDE, SIDE) what it leaves, rms grey levels.
    """

    middle: Float64Array
    reach: Float64Array
    weights: Float32Array
    spread: Float32Array

    def views(self, poses: Float64Array) -> Float32Array:
        """(n, SIDE, SIDE) at poses (n, p)."""
        found = _features(poses, self.middle, self.reach).astype(np.float32) @ self.weights
        return np.asarray(found.reshape(-1, SIDE, SIDE))


@dataclass(frozen=True, slots=True)
class Laid:
    """Where pictures lie over what was expected, in shares of the picture's width.

    right, down: of the middle. rotation_deg: clockwise as seen. scale: above 1 things are larger.
    light: factor on brightness. agreement: correlation with the expected picture once laid over
    it, of what changes with the pose or has an edge. doubt: standard error of (right, down,
    rotation in rad, log scale) over the episodes.
    """

    right: float
    down: float
    rotation_deg: float
    scale: float
    light: float
    agreement: float
    before: float
    doubt: tuple[float, float, float, float]

    @property
    def length(self) -> float:
        """How far the middle went."""
        return math.hypot(self.right, self.down)


def grey(picture: Uint8Array) -> Float32Array:
    """A picture (h, w, 3) as (SIDE, SIDE) grey levels."""
    plain = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(plain, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def expect(poses: Float64Array, views: Float32Array) -> Expected:
    """Regress pictures (n, SIDE, SIDE) on poses (n, p). Raises CalibrationError for too few."""
    middle, reach = poses.mean(axis=0), np.maximum(2.0 * poses.std(axis=0), 1e-3)
    known = _features(poses, middle, reach)
    if len(poses) < 3 * known.shape[1]:
        raise CalibrationError(
            f"{3 * known.shape[1]} pictures wanted to learn what a camera sees, found {len(poses)}"
        )
    flat = views.reshape(len(views), -1).astype(np.float64)
    weight = np.ones(flat.shape)
    gram = known.T @ known + RIDGE * len(known) * np.eye(known.shape[1])
    weights = np.linalg.solve(gram, known.T @ flat)
    for _ in range(2):
        # Things that lie there once are no part of what a pose explains: they are pulled in.
        off = flat - known @ weights
        bound = 2.0 * np.maximum(np.median(np.abs(off), axis=0), NOISE / 2)
        weight = np.clip(off, -bound, bound)
        weights = weights + np.linalg.solve(gram, known.T @ weight)
    spread = np.sqrt(np.mean((flat - known @ weights) ** 2, axis=0)).reshape(SIDE, SIDE)
    return Expected(middle, reach, weights.astype(np.float32), spread.astype(np.float32))


def lay(known: Expected, poses: Float64Array, views: Float32Array, owners: Sequence[int]) -> Laid:
    """Lay pictures (n, SIDE, SIDE), taken at poses (n, p), over what is expected there.

    owners: (n,) which episode each is of. Raises CalibrationError for too few.
    """
    if len(views) < LEAST_VIEWS:
        raise CalibrationError(f"{LEAST_VIEWS} pictures wanted, found {len(views)}")
    within = np.clip((poses - known.middle) / known.reach, -1.3, 1.3) * known.reach + known.middle
    images = np.stack([cv2.GaussianBlur(each, (0, 0), 0.8) for each in known.views(within)])
    shown = np.stack([cv2.GaussianBlur(each, (0, 0), 0.8) for each in views])
    sure = 1.0 / (known.spread.astype(np.float64) ** 2 + NOISE**2)
    motion = _searched(images, shown, sure)
    for _ in range(STEPS):
        normal, pull = _normal(images, shown, sure, motion)
        step = np.linalg.solve(normal.sum(axis=0) + 1e-9 * np.eye(4), pull.sum(axis=0))
        step = np.clip(step, -2.0, 2.0)
        motion = motion + step
        if np.abs(step).max() < 1e-3:
            break
    normal, pull = _normal(images, shown, sure, motion)
    light, agreement = _fitted(images, shown, sure, motion)
    size = SIDE / 2.0
    return Laid(
        right=float(motion[0]) / SIDE, down=float(motion[1]) / SIDE,
        rotation_deg=math.degrees(float(motion[2]) / size), scale=math.exp(float(motion[3]) / size),
        light=light, agreement=agreement, before=_fitted(images, shown, sure, np.zeros(4))[1],
        doubt=_doubt(normal, pull, np.asarray(owners)),
    )  # fmt: skip


def _features(poses: Float64Array, middle: Float64Array, reach: Float64Array) -> Float64Array:
    """Cubic in the place (first three), linear in the rest, and the last with the place."""
    unit = (poses - middle) / reach
    place, rest = unit[:, :3].T, unit[:, 3:].T
    columns = [np.ones(len(unit))]
    for degree in (1, 2, 3):
        columns += [
            np.prod(place[list(which)], axis=0)
            for which in combinations_with_replacement(range(3), degree)
        ]
    columns += list(rest)
    if len(rest):
        columns += [each * rest[-1] for each in place]
    return np.stack(columns, axis=1)


def _warped(images: Float32Array, motion: Float64Array) -> Float32Array:
    """Images moved by (right, down) px, turned and scaled about their middles.

    The last two are told as px of the picture's rim, so that all four are alike in size.
    """
    size = SIDE / 2.0
    turn, scale = float(motion[2]) / size, math.exp(float(motion[3]) / size)
    cosine, sine, middle = scale * math.cos(turn), scale * math.sin(turn), (SIDE - 1) / 2.0
    matrix = np.array(
        [
            [cosine, -sine, middle - cosine * middle + sine * middle + motion[0]],
            [sine, cosine, middle - sine * middle - cosine * middle + motion[1]],
        ]
    )
    return np.stack(
        [
            cv2.warpAffine(
                each, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
            for each in images
        ]
    )


def _searched(images: Float32Array, shown: Float32Array, sure: Float64Array) -> Float64Array:
    """The best of a coarse grid, on every few of the pictures."""
    every = max(1, len(images) // SEARCHED)
    few, seen = images[::every], shown[::every]
    tried = [
        np.array([right, down, roll * SIDE / 2.0, 0.0])
        for right in GRID for down in GRID for roll in ROLLS
    ]  # fmt: skip
    # Beginning where it stands is worth a little: the grid is for views that are far off.
    scores = [
        _fitted(few, seen, sure, motion)[1] - (0.02 if motion.any() else 0.0) for motion in tried
    ]
    return tried[int(np.argmax(scores))]


def _fitted(
    images: Float32Array, shown: Float32Array, sure: Float64Array, motion: Float64Array
) -> tuple[float, float]:
    """Brightness factor, and the weighed correlation of pictures and expectation."""
    laid = _warped(images, motion).astype(np.float64)
    weight = sure / sure.sum()
    off_laid = laid - (laid * weight).sum(axis=(1, 2), keepdims=True)
    off_shown = shown - (shown * weight).sum(axis=(1, 2), keepdims=True)
    both = float((off_laid * off_shown * weight).sum())
    ours, theirs = float((off_laid**2 * weight).sum()), float((off_shown**2 * weight).sum())
    light = float(np.median(shown.mean(axis=(1, 2)) / np.maximum(laid.mean(axis=(1, 2)), 1.0)))
    return light, both / max(math.sqrt(ours * theirs), 1e-9)


def _normal(
    images: Float32Array, shown: Float32Array, sure: Float64Array, motion: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """Gauss and Newton's equations of each picture: (n, 4, 4) and (n, 4)."""
    laid = _warped(images, motion).astype(np.float64)
    # Each picture has a brightness and a contrast of its own, found beside the motion.
    weight = sure / sure.sum()
    mean_laid = (laid * weight).sum(axis=(1, 2), keepdims=True)
    mean_shown = (shown * weight).sum(axis=(1, 2), keepdims=True)
    power = ((laid - mean_laid) ** 2 * weight).sum(axis=(1, 2), keepdims=True)
    both = ((laid - mean_laid) * (shown - mean_shown) * weight).sum(axis=(1, 2), keepdims=True)
    gain = np.clip(both / np.maximum(power, 1e-9), 0.2, 5.0)
    off = (shown - mean_shown) - gain * (laid - mean_laid)
    down, right = np.gradient(laid, axis=(1, 2))
    place = (np.arange(SIDE) - (SIDE - 1) / 2.0) / (SIDE / 2.0)
    x, y = place[None, None, :], place[None, :, None]
    slopes = -np.stack([right, down, x * down - y * right, x * right + y * down], axis=1)
    slopes *= gain[:, None]
    slopes -= (slopes * weight).sum(axis=(2, 3), keepdims=True)
    scale = np.maximum(1.4826 * np.median(np.abs(off * np.sqrt(sure))), 1e-6)
    robust = sure * np.minimum(1.0, 1.5 * scale / np.maximum(np.abs(off) * np.sqrt(sure), 1e-9))
    normal = np.einsum("nihw,njhw,nhw->nij", slopes, slopes, robust)
    pull = np.einsum("nihw,nhw,nhw->ni", slopes, off, robust)
    return normal, pull


def _doubt(
    normal: Float64Array, pull: Float64Array, owners: NDArray[np.int64]
) -> tuple[float, float, float, float]:
    """Standard errors from how far the episodes pull apart (sandwich estimate)."""
    inverse = np.linalg.inv(normal.sum(axis=0) + 1e-9 * np.eye(4))
    each = np.stack([pull[owners == owner].sum(axis=0) for owner in np.unique(owners)])
    errors = np.sqrt(np.maximum(np.diag(inverse @ (each.T @ each) @ inverse), 0.0))
    size = SIDE / 2.0
    right, down, turn, scale = (float(value) for value in errors)
    return right / SIDE, down / SIDE, turn / size, scale / size
