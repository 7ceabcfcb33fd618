"""What another adapter than the one that acted would have thought of an episode's decisions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from agent.episode import Float32Array, ScoredEpisode
from agent.errors import DataError
from agent.policy.policy import BASE, SLOT, VLAPolicy
from agent.policy.vla import log_probs as token_log_probs

AT_ONCE = 64  # decisions a forward pass


@dataclass(frozen=True, slots=True)
class Recount:
    """An episode of t decisions of d tokens, weighed by two adapters at its temperature.

    then, now: (t, d) log-probabilities under the one that acted, and under `adapter`.
    """

    episode: str
    acted: str
    adapter: str
    then: Float32Array
    now: Float32Array

    @property
    def ratio(self) -> Float32Array:
        """Probability of each token under `adapter` over that under the one that acted, (t, d)."""
        ratio: Float32Array = np.exp(self.now - self.then).astype(np.float32)
        return ratio


@torch.inference_mode()
def recount(policy: VLAPolicy, scored: ScoredEpisode) -> Recount:
    """Weigh an episode's tokens by the adapter that the policy has loaded.

    Raises DataError for an episode that no token policy decided.
    """
    episode = scored.episode
    decisions = [step.decision for step in episode.steps]
    if not decisions or not all(len(each.tokens) for each in decisions):
        raise DataError(f"episode {episode.id} was not decided by a token policy")
    tokens = torch.from_numpy(np.stack([each.tokens for each in decisions])).long()
    views = [step.observation for step in episode.steps]
    rows = []
    with policy.adapters.use(None if policy.adapter == BASE else SLOT):
        for at in range(0, len(views), AT_ONCE):
            inputs = policy.batch(views[at : at + AT_ONCE]).to(policy.device)
            part = tokens[at : at + AT_ONCE].to(policy.device)
            words = inputs.prompt_ids, inputs.prompt_mask
            patches = policy.patches(inputs)
            logits = policy.model.action_logits(patches, inputs.proprio, *words, part)
            rows.append(token_log_probs(logits, part, episode.temperature).float().cpu().numpy())
    then = np.stack([each.log_probs for each in decisions])
    return Recount(episode.id, episode.adapter, policy.adapter, then, np.concatenate(rows))
