"""Actions as tokens: 256 edges on [-1, 1], 255 centres, OpenVLA's ids, and robot units.

A bin counts upward with the value: bin = digitize - 1, id = vocabulary - 1 - bin.
Bins 254 and 255 (ids vocabulary - 255 and - 256) decode to the same centre.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.episode import Action, Int16Array
from agent.errors import DataError

BINS = 256
DIMENSIONS = 7  # x y z, a rotation vector, the gripper
EPS = 1e-8
EDGES = np.linspace(-1.0, 1.0, BINS)
CENTRES = (EDGES[:-1] + EDGES[1:]) / 2.0

Float64Array = NDArray[np.float64]
Int64Array = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ActionStats:
    """The range [-1, 1] stands for in robot units, a value for each of 7 dimensions.

    mask: True where the range is scaled; elsewhere (the gripper) the value is used as it is.
    """

    q01: Float64Array
    q99: Float64Array
    mask: NDArray[np.bool_]


def read_stats(norm_stats: Mapping[str, Any], key: str) -> ActionStats:
    """Pick the action statistics of one data set; an empty key means the only one.

    Raises DataError naming the keys there are, or what is wrong with the numbers.
    """
    if not key and len(norm_stats) == 1:
        key = next(iter(norm_stats))
    if key not in norm_stats:
        raise DataError(f"no action statistics for {key!r}; found: {', '.join(norm_stats)}")
    try:
        action = norm_stats[key]["action"]
        q01 = np.asarray(action["q01"], np.float64)
        q99 = np.asarray(action["q99"], np.float64)
        mask = np.asarray(action.get("mask", [True] * 6 + [False]), np.bool_)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"action statistics of {key!r} need q01, q99 and mask: {error}") from error
    shapes = {q01.shape, q99.shape, mask.shape}
    if shapes != {(DIMENSIONS,)} or not np.isfinite([q01, q99]).all() or (q99 < q01).any():
        raise DataError(f"action statistics of {key!r} must be 7 finite ranges, q01 <= q99")
    return ActionStats(q01, q99, mask)


def to_bins(values: Float64Array) -> Int16Array:
    """Put values in [-1, 1] (clipped) into bins 0..255."""
    if not np.isfinite(values).all():
        raise DataError("an action to be tokenised must be finite")
    return (np.digitize(np.clip(values, -1.0, 1.0), EDGES) - 1).astype(np.int16)


def to_values(bins: NDArray[Any]) -> Float64Array:
    """Give the centre of each bin. Raises DataError for a bin outside 0..255."""
    if not np.issubdtype(bins.dtype, np.integer) or (bins < 0).any() or (bins >= BINS).any():
        raise DataError(f"action bins must be integers 0..{BINS - 1}; found {bins.tolist()}")
    values: Float64Array = CENTRES[np.minimum(bins, BINS - 2)]
    return values


def bins_to_ids(bins: NDArray[Any], vocabulary: int) -> Int64Array:
    """Give the token ids of bins: the last 256 ids of the base vocabulary, reversed."""
    to_values(bins)
    return vocabulary - 1 - bins.astype(np.int64)


def ids_to_bins(ids: NDArray[Any], vocabulary: int) -> Int16Array:
    """Give the bins of token ids. Raises DataError for an id that is no action."""
    bins = vocabulary - 1 - ids.astype(np.int64)
    if (bins < 0).any() or (bins >= BINS).any():
        raise DataError(
            f"token ids {ids.tolist()} are not all actions ({vocabulary - BINS}..{vocabulary - 1})"
        )
    return bins.astype(np.int16)


def to_actions(bins: NDArray[Any], stats: ActionStats) -> tuple[Action, ...]:
    """Decode bins (7 K,) into K actions in robot units: 0.5 (a + 1) (q99 - q01 + eps) + q01.

    Raises DataError for malformed bins: they never become motion.
    """
    if bins.ndim != 1 or not bins.size or bins.size % DIMENSIONS:
        raise DataError(f"a decision needs a multiple of 7 tokens in a row; found {bins.shape}")
    values = to_values(bins).reshape(-1, DIMENSIONS)
    scaled = 0.5 * (values + 1.0) * (stats.q99 - stats.q01 + EPS) + stats.q01
    rows = np.where(stats.mask, scaled, values)
    return tuple(
        Action(row[:6].astype(np.float32), float(np.clip(row[6], 0.0, 1.0))) for row in rows
    )


def from_actions(actions: Iterable[Action], stats: ActionStats) -> Int16Array:
    """Encode K actions in robot units into bins (7 K,); what is out of range is clipped."""
    rows = np.array([[*action.delta, action.gripper] for action in actions], np.float64)
    if rows.ndim != 2 or rows.shape[1] != DIMENSIONS:
        raise DataError(f"actions must have 6 deltas and a gripper; found shape {rows.shape}")
    return to_bins(to_unit(rows, stats)).reshape(-1)


def to_unit(rows: NDArray[Any], stats: ActionStats) -> Float64Array:
    """Scale actions (..., 7) in robot units to [-1, 1], clipped; the gripper stays as it is."""
    unit = 2.0 * (rows - stats.q01) / (stats.q99 - stats.q01 + EPS) - 1.0
    return np.clip(np.where(stats.mask, unit, rows), -1.0, 1.0)


def stats_to_json(q01: Sequence[float], q99: Sequence[float]) -> dict[str, Any]:
    """Give one data set's entry of norm_stats, the gripper unmasked."""
    mask = [True] * (DIMENSIONS - 1) + [False]
    return {"action": {"q01": list(q01), "q99": list(q99), "mask": mask}}
