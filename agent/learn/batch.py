"""All decisions of an update side by side, and how much a part of them counts in the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from agent.errors import DataError
from agent.learn.record import Acted
from agent.learn.views import Seen, stack

# Below this spread an advantage is noise and is not blown up to unit size.
LEAST_SPREAD = 0.05


@dataclass(frozen=True, slots=True)
class Batch:
    """All decisions of an update (n), one after the other. advantage: (n,), as it is weighed.

    reference: (n, d, a) logits of the adapter that the run began with, once they are known.
    """

    views: Seen
    tokens: Tensor
    old: Tensor
    mask: Tensor
    advantage: Tensor
    success: Tensor
    temperature: float
    reference: Tensor | None = None

    def __len__(self) -> int:
        """Decisions."""
        return len(self.tokens)

    def rows(self, index: Tensor) -> Batch:
        """Pick some decisions."""
        return Batch(
            self.views.rows(index),
            self.tokens[index],
            self.old[index],
            self.mask[index],
            self.advantage[index],
            self.success[index],
            self.temperature,
            None if self.reference is None else self.reference[index],
        )

    def to(self, device: torch.device) -> Batch:
        """Move to a device."""
        return Batch(
            self.views.to(device),
            self.tokens.to(device),
            self.old.to(device),
            self.mask.to(device),
            self.advantage.to(device),
            self.success.to(device),
            self.temperature,
            None if self.reference is None else self.reference.to(device),
        )


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a minibatch a part of it holds, each 0 .. 1, by what a mean is taken over.

    rows: decisions. ratios: groups with a token carried out. tokens: tokens carried out.
    cloned: those of successful episodes.
    """

    rows: float
    ratios: float
    tokens: float
    cloned: float


def join(acted: Sequence[Acted], advantages: Sequence[Tensor], *, normalise: bool = True) -> Batch:
    """Put episodes together; rows as decided.

    advantages: (t,) each. normalise: give them mean 0 and unit spread over all of them.
    Raises DataError where they are not finite, and where those to be normalised do not differ.
    """
    advantage = torch.cat(list(advantages))
    if not bool(torch.isfinite(advantage).all()):
        raise DataError(
            f"finite advantages wanted, NaN or infinity found among {len(acted)} episodes: "
            "their rewards or the critic are broken; look at the judge's progress"
        )
    if normalise:
        spread = float(advantage.std(correction=0))
        if spread == 0.0:
            raise DataError(
                f"no difference in outcome among {len(acted)} episodes: nothing to learn from; "
                "more episodes, an easier shift or a shaped reward would help"
            )
        advantage = (advantage - advantage.mean()) / max(spread, LEAST_SPREAD)
    return Batch(
        views=stack([each.views for each in acted]),
        tokens=torch.cat([each.tokens for each in acted]),
        old=torch.cat([each.log_probs for each in acted]),
        mask=torch.cat([each.mask for each in acted]),
        advantage=advantage,
        success=torch.cat([torch.full((len(a.tokens),), a.success) for a in acted]),
        temperature=acted[0].temperature,
    )


def taught(batch: Batch, *, all_count: bool = True) -> Tensor:
    """Places of the decisions of which something was carried out as asked. DataError for none.

    all_count: those without an advantage too.
    """
    carried = batch.mask.any(-1)
    if not bool(carried.any()):
        raise DataError(
            f"not one of {len(batch)} decisions was carried out as asked: nothing to learn from; "
            "look at what the guard cuts"
        )
    wanted = carried if all_count else carried & (batch.advantage != 0)
    if not bool(wanted.any()):
        raise DataError(
            f"not one of {len(batch)} decisions that teach was carried out as asked: nothing to "
            "learn from; look at what the guard cuts"
        )
    return wanted.nonzero().squeeze(-1)


def share(part: Batch, whole: Batch, group: int) -> Share:
    """Weigh a micro-batch so that the parts' means add up to the whole's. group: tokens a ratio."""
    mine, all_ = _counts(part, group), _counts(whole, group)
    return Share(*(a / max(b, 1) for a, b in zip(mine, all_, strict=True)))


def _counts(batch: Batch, group: int) -> tuple[int, int, int, int]:
    mask = batch.mask
    ratios = mask.view(len(mask), -1, group).any(-1)
    cloned = mask & batch.success[:, None]
    return len(mask), int(ratios.sum()), int(mask.sum()), int(cloned.sum())
