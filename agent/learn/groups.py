"""Comparing episodes of one start state with each other, which needs no critic."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from agent.episode import Float32Array

LEAST_SPREAD = 1e-6  # below it the outcomes of a group agree


def groups_of(starts: Sequence[Hashable]) -> list[list[int]]:
    """Places of equal entries, in order of their first."""
    found: dict[Hashable, list[int]] = {}
    for place, start in enumerate(starts):
        found.setdefault(start, []).append(place)
    return list(found.values())


def agree(outcomes: Float32Array) -> bool:
    """Whether a group's outcomes (k,) do not differ: then it teaches nothing."""
    return len(outcomes) < 2 or float(np.ptp(outcomes)) < LEAST_SPREAD


def leave_one_out(outcomes: Float32Array) -> Float32Array:
    """Each outcome (k,), k > 1, less the mean of the others (Ahmadian et al. 2024, RLOO)."""
    others = (outcomes.sum() - outcomes) / (len(outcomes) - 1)
    left: Float32Array = (outcomes - others).astype(np.float32)
    return left


def normalised(outcomes: Float32Array) -> Float32Array:
    """Each outcome (k,) less the group's mean, by its spread (Shao et al. 2024, section 4.1.2)."""
    apart: Float32Array = ((outcomes - outcomes.mean()) / outcomes.std()).astype(np.float32)
    return apart
