"""An episode as a learner keeps it: tensors, encoded once by the frozen base."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from agent.episode import ScoredEpisode, Terminated, Verdict
from agent.errors import DataError
from agent.policy.policy import ModelInputs, VLAPolicy

DIMENSIONS = 7


@dataclass(frozen=True, slots=True)
class Views:
    """What the model is given for some decisions (n of them), patches instead of pixels.

    patches: (n, p, h). proprio: (n, q) or None. prompt_ids, prompt_mask: (n, l).
    """

    patches: Tensor
    proprio: Tensor | None
    prompt_ids: Tensor
    prompt_mask: Tensor

    def rows(self, index: Tensor) -> Views:
        """Pick some decisions."""
        proprio = None if self.proprio is None else self.proprio[index]
        return Views(self.patches[index], proprio, self.prompt_ids[index], self.prompt_mask[index])

    def to(self, device: torch.device) -> Views:
        """Move to a device."""
        proprio = None if self.proprio is None else self.proprio.to(device)
        return Views(
            self.patches.to(device), proprio, self.prompt_ids.to(device),
            self.prompt_mask.to(device),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Acted:
    """The decisions of one episode (t of them) and what came of them. start: of its task.

    tokens: (t, d) int64. log_probs: (t, d) float32, of the acting adapter. mask: (t, d) bool,
    True where the token's action was carried out as asked.
    """

    id: str
    task: str
    start: int
    views: Views
    tokens: Tensor
    log_probs: Tensor
    mask: Tensor
    temperature: float
    success: bool


@dataclass(frozen=True, slots=True)
class Outline:
    """What the critic keeps of every episode. features: (t + 1, h). elapsed: (t + 1,) in [0, 1]."""

    id: str
    task: str
    features: Tensor
    elapsed: Tensor
    terminated: bool


@torch.no_grad()
def encode(policy: VLAPolicy, scored: ScoredEpisode, *, pixels: bool) -> tuple[Acted, Outline]:
    """Turn an episode into tensors on the CPU: a device's memory is the model's.

    pixels: keep images, for an adapter in the vision tower too.

    Raises DataError for an episode with no decision, or one not made by a token policy.
    """
    episode = scored.episode
    if not episode.steps:
        raise DataError(f"episode {episode.id} has no decision to learn from")
    inputs = policy.batch([*(step.observation for step in episode.steps), episode.last])
    inputs = inputs.to(policy.device)
    with policy.adapters.use(None):
        seen = policy.patches(inputs)
        features = policy.model.feature(seen, inputs.proprio, inputs.prompt_ids, inputs.prompt_mask)
    count = len(episode.steps)
    kept = inputs.pixels if pixels else seen
    views = _views(inputs, kept).to(torch.device("cpu")).rows(torch.arange(count))
    done = np.cumsum([0] + [len(step.applied) for step in episode.steps])
    elapsed = torch.from_numpy(done / episode.task.horizon_steps).float()
    success = scored.signal.verdict is Verdict.SUCCESS
    task = episode.task
    acted = Acted(
        episode.id, task.name, task.start, views, *_tokens(scored), episode.temperature, success
    )
    ended = isinstance(episode.ending, Terminated)
    return acted, Outline(episode.id, task.name, features.float().cpu(), elapsed, ended)


def _views(inputs: ModelInputs, seen: Tensor) -> Views:
    return Views(seen, inputs.proprio, inputs.prompt_ids, inputs.prompt_mask)


def _tokens(scored: ScoredEpisode) -> tuple[Tensor, Tensor, Tensor]:
    steps = scored.episode.steps
    width = len(steps[0].decision.tokens)
    if not width or any(len(step.decision.tokens) != width for step in steps):
        raise DataError(f"episode {scored.episode.id} was not decided by a token policy")
    tokens = torch.from_numpy(np.stack([step.decision.tokens for step in steps])).long()
    log_probs = torch.from_numpy(np.stack([step.decision.log_probs for step in steps]))
    executed = torch.from_numpy(np.stack([step.executed for step in steps]))
    return tokens, log_probs, executed.repeat_interleave(DIMENSIONS, 1)
