"""What the plan said an update would take, beside what it took."""

from __future__ import annotations

import resource

import torch

from agent.learn.plan import Way, plan
from agent.policy.policy import VLAPolicy
from agent.policy.roofline import Roofline, measure
from agent.policy.sizes import Sizes, sizes_of
from agent.settings import LearnSettings


class Foresight:
    """Measures the device once, at the first question, and predicts from then on."""

    def __init__(self, policy: VLAPolicy, settings: LearnSettings) -> None:
        self._policy, self._settings = policy, settings
        self._known: tuple[Sizes, Roofline] | None = None

    def metrics(self, decisions: int, micro_batch: int) -> dict[str, float]:
        """Predicted seconds and bytes of an update, and the most bytes held so far."""
        policy = self._policy
        if self._known is None:
            self._known = sizes_of(policy.config), measure(policy.device, policy.dtype)
        sizes, line = self._known
        way = Way(policy.base, policy.dtype.itemsize, micro_batch, self._settings.checkpointing)
        said = plan(sizes, self._settings, line, way, decisions)
        return {
            "update/foreseen_seconds": said.update_s,
            "update/foreseen_bytes": said.peak,
            "update/most_bytes": float(held(policy.device)),
        }


def held(device: torch.device) -> int:
    """The most bytes that were ever held at once: on a GPU by torch, else by this process."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
