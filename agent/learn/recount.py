"""What another adapter than the one that acted would have thought of an episode's decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from agent.episode import Float32Array, Int16Array, Observation, ScoredEpisode
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


def recount(policy: VLAPolicy, scored: ScoredEpisode) -> Recount:
    """Weigh an episode's tokens by the adapter that the policy has loaded.

    Raises DataError for an episode that no token policy decided.
    """
    episode = scored.episode
    decisions = [step.decision for step in episode.steps]
    if not decisions or not all(len(each.tokens) for each in decisions):
        raise DataError(f"episode {episode.id} was not decided by a token policy")
    now = weighed(
        policy,
        [step.observation for step in episode.steps],
        np.stack([each.tokens for each in decisions]),
        episode.temperature,
        None if policy.adapter == BASE else SLOT,
    )
    then = np.stack([each.log_probs for each in decisions])
    return Recount(episode.id, episode.adapter, policy.adapter, then, now)


@torch.inference_mode()
def weighed(
    policy: VLAPolicy,
    views: Sequence[Observation],
    tokens: Int16Array,
    temperature: float,
    slot: str | None,
) -> Float32Array:
    """Log-probabilities (t, d) of the tokens (t, d) that answered t views, by an adapter."""
    rows = []
    with policy.adapters.use(slot):
        for at in range(0, len(views), AT_ONCE):
            inputs = policy.batch(views[at : at + AT_ONCE]).to(policy.device)
            part = torch.from_numpy(tokens[at : at + AT_ONCE]).long().to(policy.device)
            words = inputs.prompt_ids, inputs.prompt_mask
            patches = policy.patches(inputs)
            logits = policy.model.action_logits(patches, inputs.proprio, *words, part)
            rows.append(token_log_probs(logits, part, temperature).float().cpu().numpy())
    return np.concatenate(rows)
