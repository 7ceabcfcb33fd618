"""Statistics of a feature over an episode, and of many episodes together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.episode import Uint8Array

QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}

Stats = dict[str, Any]


def vector_stats(values: NDArray[Any]) -> Stats:
    """Of (n,) or (n, d): min, max, mean, std, quantiles as lists of d, and the count."""
    rows = values.reshape(len(values), -1).astype(np.float64)
    found: Stats = {
        "min": rows.min(0).tolist(),
        "max": rows.max(0).tolist(),
        "mean": rows.mean(0).tolist(),
        "std": rows.std(0).tolist(),
        "count": [len(rows)],
    }
    for name, at in QUANTILES.items():
        found[name] = np.quantile(rows, at, axis=0).tolist()
    return found


def image_stats(images: Iterable[Uint8Array]) -> Stats:
    """Of every pixel, a channel each, in [0, 1] and shaped (3, 1, 1); the count is of images."""
    tally, count = np.zeros((3, 256), np.int64), 0
    for image in images:
        count += 1
        for channel in range(3):
            tally[channel] += np.bincount(image[..., channel].reshape(-1), minlength=256)
    levels = np.arange(256) / 255.0
    pixels = tally.sum(1)
    mean = (tally * levels).sum(1) / pixels
    std = np.sqrt((tally * (levels - mean[:, None]) ** 2).sum(1) / pixels)
    below = np.cumsum(tally, 1)
    found: Stats = {
        "min": _channels([levels[np.flatnonzero(row)[0]] for row in tally]),
        "max": _channels([levels[np.flatnonzero(row)[-1]] for row in tally]),
        "mean": _channels(mean),
        "std": _channels(std),
        "count": [count],
    }
    for name, at in QUANTILES.items():
        where = [np.searchsorted(row, at * total) for row, total in zip(below, pixels, strict=True)]
        found[name] = _channels(levels[where])
    return found


def together(stats: Sequence[Stats]) -> Stats:
    """Of several episodes: exact but for the quantiles, which are means weighted by count.

    The variance of a whole is the mean of the variances plus the variance of the means.
    """
    counts = np.array([each["count"][0] for each in stats], np.float64)
    weights = counts / counts.sum()

    def mean(key: str) -> NDArray[np.float64]:
        stacked = np.stack([np.asarray(each[key], np.float64) for each in stats])
        return np.tensordot(weights, stacked, 1)

    middle = mean("mean")
    variance = sum(
        weight
        * (np.asarray(each["std"]) ** 2 + (np.asarray(each["mean"], np.float64) - middle) ** 2)
        for weight, each in zip(weights, stats, strict=True)
    )
    return {
        "min": np.min([each["min"] for each in stats], 0).tolist(),
        "max": np.max([each["max"] for each in stats], 0).tolist(),
        "mean": middle.tolist(),
        "std": np.sqrt(variance).tolist(),
        "count": [int(counts.sum())],
        **{name: mean(name).tolist() for name in QUANTILES},
    }


def _channels(values: Iterable[float] | NDArray[np.float64]) -> list[list[list[float]]]:
    return [[[float(value)]] for value in values]
