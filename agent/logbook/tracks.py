"""The numbers of one episode, decision by decision; what cannot be read is NaN, and named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.episode import BoolArray, Float32Array, Int16Array, Limit
from agent.store.layout import AXES, OPTIONAL, Layout

Float64Array = NDArray[np.float64]
# What a damaged column is filled with; whole numbers and yes-or-no have no NaN.
_KINDS: Mapping[str, tuple[str, type]] = {
    "proprio": ("vp", np.float32),
    "time_s": ("v", np.float64),
    "progress": ("v", np.float32),
    "success": ("v", np.float32),
    "uncertainty": ("v", np.float32),
    "tokens": ("nd", np.int16),
    "log_probs": ("nd", np.float32),
    "requested": ("nka", np.float64),
    "applied": ("nka", np.float64),
    "applied_count": ("n", np.int32),
    "executed": ("nk", np.bool_),
    "track": ("nkp", np.float32),
    "decided_s": ("n", np.float64),
    "sent_s": ("n", np.float64),
    "applied_s": ("n", np.float64),
    "limits": ("n", np.uint16),
    "by_hand": ("n", np.bool_),
}


@dataclass(frozen=True, slots=True)
class Tracks:
    """n decisions of k actions and d tokens, v = n + 1 views (n where the episode broke off).

    proprio: (v, p). time_s: (v,) monotonic. progress: (v,) as judged, NaN before the judgement.
    success, uncertainty: (v,) as judged, NaN where the judge does not speak of every view.
    tokens, log_probs: (n, d). requested, applied: (n, k, 7), six of the move and the opening;
    applied is NaN past applied_count (n,). executed: (n, k), as asked. track: (n, k, p) after each
    control step. decided_s, sent_s, applied_s: (n,) monotonic, NaN where unknown.
    limits: (n,) flags of agent.episode.Limit. by_hand: (n,).
    """

    proprio: Float32Array
    time_s: Float64Array
    progress: Float32Array
    success: Float32Array
    uncertainty: Float32Array
    tokens: Int16Array
    log_probs: Float32Array
    requested: Float64Array
    applied: Float64Array
    applied_count: NDArray[np.int32]
    executed: BoolArray
    track: Float32Array
    decided_s: Float64Array
    sent_s: Float64Array
    applied_s: Float64Array
    limits: NDArray[np.uint16]
    by_hand: BoolArray

    @property
    def decisions(self) -> int:
        """How many there are."""
        return len(self.tokens)

    @property
    def views(self) -> int:
        """How many there are: one a decision, and the last."""
        return len(self.time_s)

    @property
    def elapsed_s(self) -> Float64Array:
        """Seconds since the first view, (v,)."""
        return self.time_s - self.time_s[0] if len(self.time_s) else self.time_s

    @property
    def think_s(self) -> Float64Array:
        """From a view's capture to the policy's answer, (n,)."""
        return self.decided_s - self.time_s[: self.decisions]

    @property
    def send_s(self) -> Float64Array:
        """From the answer to its first command, (n,)."""
        return self.sent_s - self.decided_s

    @property
    def apply_s(self) -> Float64Array:
        """From the first command to the arm's carrying it out, (n,)."""
        return self.applied_s - self.sent_s

    def limits_at(self, decision: int) -> tuple[str, ...]:
        """Names of the limits that a decision was held to."""
        return tuple(str(each.name).lower() for each in Limit(int(self.limits[decision])))


def tracks(
    layout: Layout, values: Mapping[str, NDArray[Any]], sizes: tuple[int, int]
) -> tuple[Tracks, tuple[str, ...]]:
    """Put columns together; those missing or of another shape are filled, and named.

    What a judge may leave out and did is filled without a word.
    sizes: decisions and views.
    """
    lengths = {
        "n": sizes[0], "v": sizes[1], "k": layout.actions, "d": layout.tokens,
        "p": layout.proprio, "a": AXES,
    }  # fmt: skip
    columns: dict[str, NDArray[Any]] = {}
    missing = []
    for name, (axes, dtype) in _KINDS.items():
        shape = tuple(lengths[axis] for axis in axes)
        found = values.get(name)
        if found is None or found.shape != shape:
            if found is not None or name not in OPTIONAL:
                missing.append(name)
            fill = np.nan if np.issubdtype(dtype, np.floating) else 0
            columns[name] = np.full(shape, fill, dtype)
        else:
            columns[name] = found.astype(dtype, copy=False)
    return Tracks(**columns), tuple(missing)
