"""A vision transformer with timm's parameter names, read at its second-to-last block."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from agent.policy.towers import TowerConfig

EPS = 1e-6


class ViT(nn.Module):
    """Images (N, 3, px, px) to patch tokens (N, P, width) after block depth - 2, without norm.

    DINOv2 and SigLIP as OpenVLA uses them (Kim et al. 2024, section 3.1).
    """

    def __init__(self, config: TowerConfig) -> None:
        super().__init__()
        self.config = config
        if config.class_token:
            self.cls_token = nn.Parameter(torch.zeros(1, 1, config.width))
        if config.registers:
            self.reg_token = nn.Parameter(torch.zeros(1, config.registers, config.width))
        self.pos_embed = nn.Parameter(torch.zeros(1, config.patches, config.width))
        self.patch_embed = PatchEmbed(config)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.width, eps=EPS)
        if config.attention_pool:
            self.attn_pool = AttentionPool(config)

    def forward(self, images: Tensor) -> Tensor:
        """Give the patch tokens, class and register tokens cut off."""
        tokens = self.patch_embed(images) + self.pos_embed
        before: list[Tensor] = []
        if self.config.class_token:
            before.append(self.cls_token.expand(len(tokens), -1, -1))
        if self.config.registers:
            before.append(self.reg_token.expand(len(tokens), -1, -1))
        tokens = torch.cat([*before, tokens], 1)
        for block in self.blocks[:-1]:
            tokens = block(tokens)
        patches: Tensor = tokens[:, -self.config.patches :]
        return patches


class PatchEmbed(nn.Module):
    """Squares of pixels to tokens."""

    def __init__(self, config: TowerConfig) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, config.width, config.patch, config.patch)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, px, px) to (N, P, width)."""
        tokens: Tensor = self.proj(images)
        return tokens.flatten(2).transpose(1, 2)


class Block(nn.Module):
    """Attention, then an MLP, each normed before and, in DINOv2, scaled after."""

    def __init__(self, config: TowerConfig) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.width, eps=EPS)
        self.attn = Attention(config.width, config.heads)
        self.ls1 = LayerScale(config.width) if config.layer_scale else nn.Identity()
        self.norm2 = nn.LayerNorm(config.width, eps=EPS)
        self.mlp = MLP(config.width, config.mlp_width)
        self.ls2 = LayerScale(config.width) if config.layer_scale else nn.Identity()

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, T, width) to the same."""
        tokens = tokens + self.ls1(self.attn(self.norm1(tokens)))
        mixed: Tensor = tokens + self.ls2(self.mlp(self.norm2(tokens)))
        return mixed


class Attention(nn.Module):
    """Every token looks at every token."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, T, width) to the same."""
        qkv = self.qkv(tokens).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = scaled_dot_product_attention(qkv[0], qkv[1], qkv[2])
        out: Tensor = self.proj(mixed.transpose(1, 2).flatten(2))
        return out


class MLP(nn.Module):
    """Two linear layers with a GELU between."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """(..., width) to the same."""
        out: Tensor = self.fc2(gelu(self.fc1(tokens)))
        return out


class LayerScale(nn.Module):
    """One learned factor a channel; the published checkpoint calls it scale_factor."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale_factor = nn.Parameter(torch.ones(width))

    def forward(self, tokens: Tensor) -> Tensor:
        """(..., width) to the same."""
        return tokens * self.scale_factor


class AttentionPool(nn.Module):
    """SigLIP's pooling head: kept so that its published weights have a place, never run."""

    def __init__(self, config: TowerConfig) -> None:
        super().__init__()
        self.latent = nn.Parameter(torch.zeros(1, 1, config.width))
        self.q = nn.Linear(config.width, config.width)
        self.kv = nn.Linear(config.width, 2 * config.width)
        self.proj = nn.Linear(config.width, config.width)
        self.norm = nn.LayerNorm(config.width, eps=EPS)
        self.mlp = MLP(config.width, config.mlp_width)
