"""A witness who sees no picture: what the arm itself felt in true successes of a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from agent.episode import Episode
from agent.errors import DataError
from agent.reward.segments import Layout, series_of

# By name: what is looked at, the least width that is allowed to all sides, and its unit.
SIGNS = (("fingers open", 0.05, ""), ("tool's rise", 0.01, " m"), ("tool's lowest", 0.01, " m"))
SETTLED_S = 0.15  # the last moments, over which fingers are averaged
WIDER = 1.0  # of the range again to both sides: few successes are not all, and arms get slower
FEWEST = 5  # true successes of a task below which nothing is said of it
Ranges = Mapping[str, tuple[float, ...]]


def signs(episode: Episode, layout: Layout) -> tuple[float, ...]:
    """How far the fingers are open at the end, the tool's rise from its lowest, and that, in m."""
    series = series_of(episode, layout)
    settled = series.opening[-max(1, round(SETTLED_S * series.hz)) :]
    height = series.position_m[:, 2]
    lowest = float(height.min())
    return float(np.median(settled)), float(height[-1]) - lowest, lowest


def ranges(known: Sequence[tuple[str, tuple[float, ...]]]) -> dict[str, tuple[float, ...]]:
    """By task, low and high of each sign in true successes, wider than was seen by `WIDER`.

    known: task and signs of each true success.
    """
    found: dict[str, tuple[float, ...]] = {}
    for task in sorted({task for task, _ in known}):
        rows = np.array([row for name, row in known if name == task])
        if len(rows) < FEWEST:
            continue
        low, high = rows.min(axis=0), rows.max(axis=0)
        wider = np.maximum(WIDER * (high - low), [least for _, least, _ in SIGNS])
        found[task] = tuple(np.stack([low - wider, high + wider], axis=1).ravel().tolist())
    return found


def objection(task: str, felt: Sequence[float], known: Ranges) -> str:
    """Which sign is not as in any true success, "" where all are. Raises DataError if unknown."""
    if task not in known:
        raise DataError(f"true successes of {task} wanted, this calibration has none")
    bounds = list(pairwise(known[task]))[::2]
    for value, (low, high), (name, _, unit) in zip(felt, bounds, SIGNS, strict=True):
        if not low <= value <= high:
            return f"{name} {value:.2f}{unit}, {low:.2f} to {high:.2f}{unit} in true successes"
    return ""


def habit(
    known: Sequence[tuple[str, tuple[float, ...]]], said: Sequence[tuple[str, tuple[float, ...]]]
) -> tuple[int, int]:
    """How many of an honest judge's successes the witness denies, and of how many.

    Each half of them is held against ranges of the other half of the true ones.
    """
    denied, heard = 0, 0
    for half in (0, 1):
        learned = ranges(known[half::2])
        for task, felt in said[1 - half :: 2]:
            if task in learned:
                heard += 1
                denied += bool(objection(task, felt, learned))
    return denied, heard
