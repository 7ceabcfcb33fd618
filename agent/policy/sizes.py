"""How large a VLA is, part by part, without reading its weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from agent.policy.checkpoint import built
from agent.policy.config import VLAConfig
from agent.policy.vla import VLA


@dataclass(frozen=True, slots=True)
class Sizes:
    """Parameters by part, and tokens by where they come from.

    vision: both towers; sights: their blocks that are run. layers: the language model's blocks, of
    which `linear` are in matrices that may be quantised. rows: embeddings and output rows.
    lora: parameters of a LoRA of rank 1 on the language model. keys: numbers that a block keeps of
    a token. patches, prompt, actions: tokens. together: all actions come of one pass.
    """

    vision: int
    sights: int
    projector: int
    layers: int
    linear: int
    rows: int
    lora: int
    depth: int
    hidden: int
    between: int
    keys: int
    patches: int
    prompt: int
    actions: int
    together: bool

    @property
    def parameters(self) -> int:
        """All that a checkpoint holds in memory."""
        return self.vision + self.projector + self.layers + self.rows

    @property
    def context(self) -> int:
        """Tokens before the first action: patches, proprioception, prompt."""
        return self.patches + self.prompt


def sizes_of(config: VLAConfig, prompt: int = 24) -> Sizes:
    """Count a model's parts. prompt: tokens of the instruction with its frame around it.

    Raises DataError for a config that makes no model.
    """
    with torch.device("meta"):
        vla = built(config)
    layers = vla.language_model.model.layers
    linear = [m for m in layers.modules() if isinstance(m, torch.nn.Linear)]
    text = vla.language_model.config
    heads = getattr(text, "num_key_value_heads", text.num_attention_heads)
    size = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    tied = text.tie_word_embeddings
    rows = sum(p.numel() for p in vla.language_model.model.embed_tokens.parameters())
    return Sizes(
        vision=_count(vla.vision_backbone),
        sights=sum(tower.depth - 1 for tower in config.towers),
        projector=_count(vla.projector),
        layers=_count(layers),
        linear=sum(m.weight.numel() for m in linear),
        rows=rows * (1 if tied else 2),
        lora=sum(m.in_features + m.out_features for m in linear),
        depth=len(layers),
        hidden=vla.hidden,
        between=int(text.intermediate_size),
        keys=2 * heads * size,
        patches=config.towers[0].patches * len(config.cameras) + bool(config.proprio_dim),
        prompt=prompt,
        actions=config.tokens,
        together=config.decoding == "one-pass",
    )


def _count(module: VLA | torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())
