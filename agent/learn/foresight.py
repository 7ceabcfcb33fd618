"""What the plan said an update would take, beside what it took."""

from __future__ import annotations

import resource

import torch

from agent.learn.critic import fitting_s
from agent.learn.plan import Way, Work, plan
from agent.policy.policy import VLAPolicy
from agent.policy.sizes import sizes_of
from agent.policy.twin import measure
from agent.settings import LearnSettings


class Foresight:
    """Measures the policy's pace once, at the first question, and predicts from then on."""

    def __init__(self, policy: VLAPolicy, settings: LearnSettings) -> None:
        self._policy, self._settings = policy, settings

    def metrics(self, decisions: int, micro_batch: int) -> dict[str, float]:
        """Predicted seconds and bytes of an update, and the most bytes held so far."""
        policy, settings = self._policy, self._settings
        most = float(held(policy.device))
        sizes, learning = sizes_of(policy.config), (settings.rank, micro_batch)
        pace = measure(policy.config, sizes, policy.base, policy.dtype, policy.device, learning)
        way = Way(
            policy.base, policy.dtype.itemsize, micro_batch, settings.checkpointing,
            settings.top_layers,
        )  # fmt: skip
        critic_s = fitting_s(sizes.hidden, decisions) if settings.rule == "ppo" else 0.0
        said = plan(sizes, settings, pace, way, Work(decisions, critic_s))
        return {
            # Its episodes were taken note of before the update began.
            "update/foreseen_seconds": said.update_s - said.observe_s,
            "update/foreseen_bytes": said.peak,
            "update/most_bytes": most,
        }


def held(device: torch.device) -> int:
    """The most bytes that were ever held at once: on a GPU by torch, else by this process."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
