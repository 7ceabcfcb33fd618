"""From the tensors of an update to what it leaves behind about each episode."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from agent.learn.baseline import Expected
from agent.learn.batch import Batch
from agent.learn.explanation import Explained
from agent.learn.record import Acted
from agent.reward.shaping import Rewards


def explained(
    acted: Sequence[Acted],
    rewards: Sequence[Rewards],
    expected: Sequence[Expected],
    joined: Batch,
    learned: Tensor,
    after: Tensor,
) -> list[tuple[str, Explained]]:
    """One explanation an episode, in the order of `joined`, which holds all their decisions.

    learned: places of the decisions that took part. after: log-probabilities of those.
    """
    known = torch.full_like(joined.old, torch.nan)
    known[learned] = joined.old[learned]
    then = torch.full_like(joined.old, torch.nan)
    then[learned] = after.cpu()
    found, at = [], 0
    for each, earned, was in zip(acted, rewards, expected, strict=True):
        rows = slice(at, at + len(each.tokens))
        at = rows.stop
        found.append(
            (
                each.id,
                Explained(
                    sparse=earned.sparse,
                    progress=earned.progress,
                    penalty=earned.penalty,
                    value=was.value,
                    advantage=was.advantage.numpy(),
                    weighed=joined.advantage[rows].numpy(),
                    before=known[rows].numpy(),
                    after=then[rows].numpy(),
                ),
            )
        )
    return found
