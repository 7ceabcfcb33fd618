"""OpenVLA's architecture from a config: images and words in, 256 logits an action token out.

Sizes below: B batch, C cameras, P patch tokens in all, H hidden, L prompt tokens, D = 7 K
action tokens, A = 256 bins. The sequence is BOS, patches, perhaps one token of proprioception,
the rest of the prompt, then the action tokens (or, in one pass, D empty placeholders that see
each other and everything before them, while nothing before them sees them).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from agent.errors import SafetyStop
from agent.policy.action_tokens import BINS
from agent.policy.config import VLAConfig
from agent.policy.projector import Projector, ProprioProjector
from agent.policy.states import States, minus_infinity
from agent.policy.trunk import new_cache, run_above, run_below, run_trunk
from agent.policy.vit import ViT

TOWERS = ("featurizer", "fused_featurizer")
# Language models whose layers run_trunk can run: they differ in biases and shared weights alone.
LANGUAGE: Mapping[str, tuple[type, type]] = {
    "llama": (LlamaConfig, LlamaForCausalLM),
    "mistral": (MistralConfig, MistralForCausalLM),
    "qwen2": (Qwen2Config, Qwen2ForCausalLM),
}


def log_probs(logits: Tensor, tokens: Tensor, temperature: float) -> Tensor:
    """Log-probability of each token (B, D) float32 under softmax(logits / temperature).

    The one function of sampler and learner. At temperature 0 (greedy) those of temperature 1.
    """
    scaled = logits.float() / (temperature or 1.0)
    return torch.log_softmax(scaled, -1).gather(-1, tokens.long().unsqueeze(-1)).squeeze(-1)


class Answer(NamedTuple):
    """logits: (B, D, A) float32 over bins. feature: (B, H) at the last prompt token."""

    logits: Tensor
    feature: Tensor


@dataclass(frozen=True, slots=True)
class Draw:
    """How answers are drawn: at which temperature (0 is greedy), how many a view, by which luck."""

    temperature: float
    count: int = 1
    generator: torch.Generator | None = None


class VLA(nn.Module):
    """The whole model; its parameter names are the published ones."""

    def __init__(self, config: VLAConfig) -> None:
        super().__init__()
        self.config = config
        self.vision_backbone = nn.ModuleDict(
            {name: ViT(tower) for name, tower in zip(TOWERS, config.towers, strict=False)}
        )
        sizes, language = LANGUAGE[str(config.text_config.get("model_type", "llama"))]
        text = sizes(**config.text_config)
        self.hidden = int(text.hidden_size)
        self.projector = Projector([tower.width for tower in config.towers], self.hidden)
        self.language_model: Any = language(text)
        if config.proprio_dim:
            self.proprio_projector = ProprioProjector(config.proprio_dim, self.hidden)

    def patches(self, pixels: Tensor) -> Tensor:
        """Projected patch tokens (B, P, H) of pixels (B, C, 3 or 6, px, px), by camera."""
        flat = pixels.flatten(0, 1).to(self.projector.fc1.weight.dtype)
        seen = [
            self.vision_backbone[name](part)
            for name, part in zip(TOWERS, flat.split(3, 1), strict=False)
        ]
        tokens: Tensor = self.projector(torch.cat(seen, -1))
        return tokens.reshape(len(pixels), -1, self.hidden)

    def answer(
        self,
        patches: Tensor,
        proprio: Tensor | None,
        prompt_ids: Tensor,
        prompt_mask: Tensor,
        tokens: Tensor | None = None,
    ) -> Answer:
        """Logits and feature in one forward pass.

        patches: (B, P, H). proprio: (B, p) normalised. prompt_ids, prompt_mask: (B, L), padded on
        either side. tokens: (B, D) bins that are followed; not needed in one pass.
        """
        return self.above(self.sequence(patches, proprio, prompt_ids, prompt_mask, tokens), 0)

    def sequence(
        self,
        patches: Tensor,
        proprio: Tensor | None,
        prompt_ids: Tensor,
        prompt_mask: Tensor,
        tokens: Tensor | None = None,
    ) -> States:
        """All that one pass runs over, in front of the first block; arguments as in `answer`."""
        context = self._context(patches, proprio, prompt_ids, prompt_mask)
        if self._together:
            return context.then(self._placeholders(context))
        if tokens is None:
            raise ValueError("token-by-token logits need the tokens that are followed")
        return context.then(self._embed_bins(tokens[:, :-1]).to(context.hidden.dtype))

    def below(self, sequence: States, cut: int) -> States:
        """The same tokens in front of block `cut`, having passed all blocks under it."""
        llama, bias = self.language_model.model, sequence.bias(self._together)
        hidden = run_below(llama, sequence.hidden, sequence.positions, bias, cut)
        return replace(sequence, hidden=hidden)

    def above(self, states: States, cut: int) -> Answer:
        """What the tokens come to that stand in front of block `cut`."""
        llama, bias = self.language_model.model, states.bias(self._together)
        last = self.config.tokens + bool(self._together)
        rows = run_above(llama, states.hidden, states.positions, bias, last, cut)
        return Answer(self._logits(rows[:, 1:] if self._together else rows), rows[:, 0])

    @property
    def _together(self) -> int:
        """Action tokens that see each other."""
        return self.config.tokens if self.config.decoding == "one-pass" else 0

    def action_logits(
        self,
        patches: Tensor,
        proprio: Tensor | None,
        prompt_ids: Tensor,
        prompt_mask: Tensor,
        tokens: Tensor | None = None,
    ) -> Tensor:
        """Logits (B, D, A) float32 over the 256 bins only; arguments as in `answer`."""
        return self.answer(patches, proprio, prompt_ids, prompt_mask, tokens).logits

    def feature(
        self, patches: Tensor, proprio: Tensor | None, prompt_ids: Tensor, prompt_mask: Tensor
    ) -> Tensor:
        """Hidden state (B, H) after the final norm at the last prompt token."""
        context = self._context(patches, proprio, prompt_ids, prompt_mask)
        llama = self.language_model.model
        return run_trunk(llama, context.hidden, context.positions, context.bias(), 1)[:, 0]

    @torch.no_grad()
    def sample(
        self,
        patches: Tensor,
        proprio: Tensor | None,
        prompt_ids: Tensor,
        prompt_mask: Tensor,
        temperature: float,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Draw bins (B, D) int64 and their log-probabilities (B, D) float32; 0 is greedy.

        Raises SafetyStop where a logit is not finite: such an answer never moves the arm.
        """
        how = Draw(temperature, 1, generator)
        tokens, scores = self.propose(patches, proprio, prompt_ids, prompt_mask, how)
        return tokens[:, 0], scores[:, 0]

    @torch.no_grad()
    def propose(
        self,
        patches: Tensor,
        proprio: Tensor | None,
        prompt_ids: Tensor,
        prompt_mask: Tensor,
        how: Draw,
    ) -> tuple[Tensor, Tensor]:
        """Draw N answers to each view, as `sample` draws one: (B, N, D) each.

        What comes before the actions is run once, whatever the count.
        """
        if self._together:
            logits = self.action_logits(patches, proprio, prompt_ids, prompt_mask)
            alike = logits.repeat_interleave(how.count, 0)
            tokens = _draw(alike, how)
            scores = log_probs(alike, tokens, how.temperature)
            return tokens.unflatten(0, (-1, how.count)), scores.unflatten(0, (-1, how.count))
        return self._propose_in_turn(self._context(patches, proprio, prompt_ids, prompt_mask), how)

    def _propose_in_turn(self, context: States, how: Draw) -> tuple[Tensor, Tensor]:
        """Answers grow side by side in one row of the cache: one prefix, each its own tokens."""
        llama, width, count = self.language_model.model, self.config.tokens, how.count
        batch, length = context.seen.shape
        cache = new_cache(llama, batch, length + count * (width - 1), context.hidden)
        bias = context.bias()
        rows = run_trunk(llama, context.hidden, context.positions, bias, 1, cache)
        rows = rows.expand(-1, count, -1)
        own = torch.eye(count, dtype=torch.bool, device=rows.device).expand(batch, -1, -1)
        seen = context.seen[:, None].expand(-1, count, -1)
        position = context.positions[:, -1:].expand(-1, count)
        drawn, scores = [], []
        for index in range(width):
            logits = self._logits(rows)
            tokens = _draw(logits, how)
            drawn.append(tokens)
            scores.append(log_probs(logits, tokens, how.temperature))
            if index == width - 1:
                break
            position, seen = position + 1, torch.cat([seen, own], 2)
            bias = minus_infinity(seen[:, None], context.hidden.dtype)
            rows = run_trunk(llama, self._embed_bins(tokens), position, bias, count, cache)
        return torch.stack(drawn, 2), torch.stack(scores, 2)

    def _context(
        self, patches: Tensor, proprio: Tensor | None, prompt_ids: Tensor, prompt_mask: Tensor
    ) -> States:
        """Everything before the action tokens, the prompt's pads moved to its left."""
        # A stable sort puts the pads first, wherever they were: the last column is then the
        # prompt's last token in every row.
        order = prompt_mask.long().argsort(dim=1, stable=True)
        ids, real = prompt_ids.gather(1, order), prompt_mask.gather(1, order)
        between = [patches]
        if self.config.proprio_dim:
            if proprio is None:
                raise ValueError(f"this model needs proprioception ({self.config.proprio_dim},)")
            between.append(self.proprio_projector(proprio.to(patches.dtype)).unsqueeze(1))
        sight = torch.cat(between, 1)
        embeds = torch.cat([sight, self._embed(ids).to(sight.dtype)], 1)
        count = sight.shape[1]
        place = real.long().cumsum(1) - 1
        # BOS comes before the patches, in position; where it lies in memory does not matter.
        words = torch.where(place > 0, place + count, 0)
        sights = torch.arange(1, count + 1, device=ids.device).expand(len(ids), -1)
        return States(
            embeds,
            torch.cat([sights, words], 1),
            torch.cat([torch.ones_like(sights, dtype=torch.bool), real], 1),
        )

    def _placeholders(self, context: States) -> Tensor:
        empty = torch.full(
            (len(context.hidden), self.config.tokens),
            self.config.empty_token_id,
            device=context.hidden.device,
        )
        return self._embed(empty).to(context.hidden.dtype)

    def _embed(self, ids: Tensor) -> Tensor:
        embeds: Tensor = self.language_model.model.embed_tokens(ids)
        return embeds

    def _embed_bins(self, tokens: Tensor) -> Tensor:
        return self._embed(self.config.base_vocabulary - 1 - tokens.long())

    def _logits(self, rows: Tensor) -> Tensor:
        top = self.config.base_vocabulary
        # Ids run against the bins, so the slice is turned round.
        return linear(rows, self.language_model.lm_head.weight[top - BINS : top]).flip(-1).float()


def _draw(logits: Tensor, how: Draw) -> Tensor:
    if not bool(torch.isfinite(logits).all()):
        raise SafetyStop(
            "the policy's logits must be finite; found NaN or infinity: no motion made"
        )
    if how.temperature == 0:
        return logits.argmax(-1)
    chances = torch.softmax(logits / how.temperature, -1).flatten(0, 1)
    return torch.multinomial(chances, 1, generator=how.generator).view(logits.shape[:2])
