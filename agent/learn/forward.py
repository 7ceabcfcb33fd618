"""The model's passes over recorded decisions, as many at once as fit its device."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from agent.learn.batch import Batch
from agent.learn.views import Keep, Seen, logits_of
from agent.policy.policy import VLAPolicy
from agent.policy.vla import log_probs as token_log_probs


class Forward:
    """Answers of adapters on views that were kept. at_once: decisions a pass; it may shrink."""

    def __init__(self, policy: VLAPolicy, at_once: int, keep: Keep) -> None:
        """keep: how far the views have been run already."""
        self._policy, self._keep = policy, keep
        self.at_once = at_once

    def logits(self, views: Seen, tokens: Tensor, adapter: str) -> Tensor:
        """Logits (b, d, a) of the tokens' places; in turn, each follows the tokens before it."""
        with self._policy.adapters.use(adapter):
            return logits_of(self._policy, self._keep, views, tokens)

    def pieces(self, batch: Batch) -> Iterator[Batch]:
        """Micro-batches, each on the model's device when its turn comes."""
        for index in torch.arange(len(batch)).split(self.at_once):
            yield batch.rows(index).to(self._policy.device)

    @torch.no_grad()
    def all_logits(self, batch: Batch, adapter: str) -> Tensor:
        """Logits (n, d, a) of a whole batch under an adapter, on the CPU."""
        parts = (self.logits(p.views, p.tokens, adapter).cpu() for p in self.pieces(batch))
        return torch.cat(list(parts))

    @torch.no_grad()
    def said(self, views: Seen, tokens: Tensor, mask: Tensor, adapter: str) -> float:
        """Sum of the masked tokens' log-probabilities at temperature 1."""
        total = 0.0
        for index in torch.arange(len(tokens)).split(self.at_once):
            seen = views.rows(index).to(self._policy.device)
            told = tokens[index].to(self._policy.device)
            scores = token_log_probs(self.logits(seen, told, adapter), told, 1.0).cpu()
            total += float(scores[mask[index]].sum())
        return total
