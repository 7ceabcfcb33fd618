"""Sampler and learner must be one function: how far their log-probabilities may lie apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from agent.episode import Decision, Observation
from agent.errors import DataError
from agent.learn.recount import weighed
from agent.policy.policy import VLAPolicy

# By what the base computes in: rounding explains as much, and a stale or damaged adapter more.
MOST_GAP = {torch.float32: 1e-3, torch.bfloat16: 5e-2, torch.float16: 1e-2}


def must_agree(gap: float, dtype: torch.dtype, what: str) -> None:
    """Raise DataError, `what` saying why, for a gap that no rounding explains."""
    most = MOST_GAP[dtype]
    if not gap <= most:  # NaN is no agreement either
        raise DataError(
            f"sampler and learner differ by {gap:.2g} in log-probability, limit {most:g}: {what}"
        )


def gap_of(
    policy: VLAPolicy, views: Sequence[Observation], decisions: Sequence[Decision], slot: str
) -> float:
    """Largest difference of one token's log-probability: as decided, and as `slot` weighs it."""
    tokens = np.stack([each.tokens for each in decisions])
    ours = weighed(policy, views, tokens, decisions[0].temperature, slot)
    return float(np.abs(ours - np.stack([each.log_probs for each in decisions])).max())
