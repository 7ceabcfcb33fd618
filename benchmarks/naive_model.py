"""What a plain script does with an OpenVLA: no short cut, and a second model as reference."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import Tensor

from agent.episode import Observation, ScoredEpisode
from agent.policy.images import to_pixels
from agent.policy.policy import VLAPolicy
from agent.settings import LearnSettings

TARGETS = r".*layers\.\d+\.(self_attn\.[qkvo]_proj|mlp\.(gate|up|down)_proj)"


@torch.inference_mode()
def plain_decision(policy: VLAPolicy, view: Observation) -> Tensor:
    """Seven tokens by transformers' generate(), over the whole vocabulary."""
    embeds = _embeds(policy, policy.model.language_model, [view])
    ids: Tensor = policy.model.language_model.generate(
        inputs_embeds=embeds,
        attention_mask=torch.ones(embeds.shape[:2], device=embeds.device, dtype=torch.long),
        max_new_tokens=policy.config.tokens,
        min_new_tokens=policy.config.tokens,
        do_sample=False,
        pad_token_id=policy.config.pad_token_id,
    )
    return ids


def _embeds(policy: VLAPolicy, language: Any, views: Sequence[Observation]) -> Tensor:  # noqa: ANN401
    """BOS, patches, prompt, as the published code puts them together; the towers run each time."""
    inputs = policy.batch(views).to(policy.device)
    pixels = to_pixels(inputs.pixels, policy.config.pixel_mean, policy.config.pixel_std)
    words = language.get_input_embeddings()(inputs.prompt_ids)
    patches = policy.model.patches(pixels).to(words.dtype)
    return torch.cat([words[:, :1], patches, words[:, 1:]], 1)


def plain_update(
    policy: VLAPolicy, settings: LearnSettings, episodes: Sequence[ScoredEpisode]
) -> Callable[[], None]:
    """The same passes over the same decisions: an epoch, its log-probabilities, KL, forgetting."""
    language = copy.deepcopy(_bare(policy))
    reference = copy.deepcopy(language)
    config = LoraConfig(r=settings.rank, lora_alpha=16, target_modules=TARGETS)
    inject_adapter_in_model(config, language)
    views = [step.observation for scored in episodes for step in scored.episode.steps]
    bins = np.stack(
        [step.decision.tokens for scored in episodes for step in scored.episode.steps]
    ).astype(np.int64)
    tokens = torch.from_numpy(policy.config.base_vocabulary - 1 - bins).to(policy.device)
    optimizer = torch.optim.AdamW([p for p in language.parameters() if p.requires_grad], lr=1e-5)

    def scores(model: Any, rows: slice) -> Tensor:  # noqa: ANN401
        with torch.no_grad():
            embeds = _embeds(policy, model, views[rows])
        said = model.get_input_embeddings()(tokens[rows, :-1])
        logits = model(inputs_embeds=torch.cat([embeds, said], 1)).logits.float()
        chances = torch.log_softmax(logits[:, -policy.config.tokens :], -1)
        return chances.gather(-1, tokens[rows].unsqueeze(-1)).squeeze(-1)

    def looked(model: Any) -> None:  # noqa: ANN401
        with torch.no_grad():
            for start in range(0, len(views), settings.micro_batch):
                scores(model, slice(start, start + settings.micro_batch))

    def work() -> None:
        looked(reference)  # the features that a critic is fitted on
        for _ in range(settings.epochs):
            for start in range(0, len(views), settings.micro_batch):
                rows = slice(start, start + settings.micro_batch)
                with torch.no_grad():
                    theirs = scores(reference, rows)
                ours = scores(language, rows)
                (-(ours - ours.detach()).exp().mean() + (ours - theirs).square().mean()).backward()
            optimizer.step()
            optimizer.zero_grad()
            looked(language)
        for model in (language, reference, language, reference):
            looked(model)

    return work


def _bare(policy: VLAPolicy) -> Any:  # noqa: ANN401
    """The language model as it was before any adapter."""
    policy.adapters.activate(None)
    model = copy.deepcopy(policy.model.language_model)
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if hasattr(child, "base_layer"):
                setattr(parent, name, child.base_layer)
    return model
