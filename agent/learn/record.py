"""An episode as a learner keeps it: tensors, encoded once by the frozen base."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from agent.episode import ScoredEpisode, Terminated, Verdict
from agent.errors import DataError
from agent.learn.views import Keep, Seen, Views, passed, stack
from agent.policy.policy import VLAPolicy

__all__ = ["Acted", "Outline", "Views", "encode"]

DIMENSIONS = 7
AT_ONCE = 64  # views a pass
PATCHES = Keep()


@dataclass(frozen=True, slots=True)
class Acted:
    """The decisions of one episode (t of them) and what came of them. start: of its task.

    tokens: (t, d) int64. log_probs: (t, d) float32, of the acting adapter. mask: (t, d) bool,
    True where the token's action was carried out as asked.
    """

    id: str
    task: str
    start: int
    views: Seen
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
def encode(
    policy: VLAPolicy, scored: ScoredEpisode, keep: Keep = PATCHES, at_once: int = AT_ONCE
) -> tuple[Acted, Outline]:
    """Turn an episode into tensors on the CPU: a device's memory is the model's.

    at_once: views a pass. Raises DataError for an episode with no decision, or one not made by a
    token policy.
    """
    episode = scored.episode
    if not episode.steps:
        raise DataError(f"episode {episode.id} has no decision to learn from")
    inputs = policy.batch([*(step.observation for step in episode.steps), episode.last])
    tokens, log_probs, mask = _tokens(scored)
    followed = torch.cat([tokens, torch.zeros_like(tokens[:1])])  # the last view has no answer
    kept, features = [], []
    for index in torch.arange(len(inputs)).split(at_once):
        part, said = inputs.rows(index).to(policy.device), followed[index].to(policy.device)
        seen, feature = passed(policy, keep, part, said)
        kept.append(seen.to(torch.device("cpu")))
        features.append(feature.float().cpu())
    views = stack(kept).rows(torch.arange(len(tokens)))
    done = np.cumsum([0] + [len(step.applied) for step in episode.steps])
    elapsed = torch.from_numpy(done / episode.task.horizon_steps).float()
    success = scored.signal.verdict is Verdict.SUCCESS
    task = episode.task
    acted = Acted(
        episode.id, task.name, task.start, views, tokens, log_probs, mask, episode.temperature,
        success,
    )  # fmt: skip
    ended = isinstance(episode.ending, Terminated)
    return acted, Outline(episode.id, task.name, torch.cat(features), elapsed, ended)


def _tokens(scored: ScoredEpisode) -> tuple[Tensor, Tensor, Tensor]:
    steps = scored.episode.steps
    width = len(steps[0].decision.tokens)
    if not width or any(len(step.decision.tokens) != width for step in steps):
        raise DataError(f"episode {scored.episode.id} was not decided by a token policy")
    tokens = torch.from_numpy(np.stack([step.decision.tokens for step in steps])).long()
    log_probs = torch.from_numpy(np.stack([step.decision.log_probs for step in steps]))
    executed = torch.from_numpy(np.stack([step.executed for step in steps]))
    return tokens, log_probs, executed.repeat_interleave(DIMENSIONS, 1)
