"""Llama's layers run over our own sequence: any mask, any positions, a cache filled in place.

The modules are transformers' LlamaModel, for its parameter names; only their order is ours,
because the module stack's own overhead is most of a small model's time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import rms_norm, scaled_dot_product_attention, silu
from torch.utils.checkpoint import checkpoint


@dataclass(slots=True)
class Cache:
    """Keys and values, (layers, B, heads, room, head size); the first `used` places are filled."""

    keys: Tensor
    values: Tensor
    used: int = 0


class _Sight(NamedTuple):
    """What every layer's attention is told: rotary angles, who may look where, the past."""

    cos: Tensor
    sin: Tensor
    bias: Tensor | None
    cache: Cache | None


def new_cache(llama: Any, batch: int, room: int, like: Tensor) -> Cache:  # noqa: ANN401
    """Make room for `room` tokens a row, in the dtype and on the device of `like`."""
    config = llama.config
    head = llama.layers[0].self_attn.head_dim
    shape = (config.num_hidden_layers, batch, config.num_key_value_heads, room, head)
    return Cache(like.new_zeros(shape), like.new_zeros(shape))


def run_trunk(
    llama: Any,  # noqa: ANN401 - LlamaModel, its linear layers perhaps wrapped by adapters
    hidden: Tensor,
    positions: Tensor,
    bias: Tensor | None,
    last: int,
    cache: Cache | None = None,
) -> Tensor:
    """Run all layers and the final norm; give the hidden states (B, last, H) of the last tokens.

    hidden: (B, T, H) embeddings. positions: (B, T). bias: (B or 1, 1, T, cached + T), 0 where a
    row may look and -inf where not; None: everywhere. Only keys and values are computed for the
    other tokens of the top layer: nothing reads the rest. Where `llama.gradient_checkpointing` is
    set, activations are not kept for the gradient but made again (Chen et al. 2016).
    """
    sight = _sight(llama, hidden, positions, bias, cache)
    hidden = _blocks(llama, hidden, sight, range(len(llama.layers)), last)
    if cache is not None:
        cache.used += positions.shape[1]
    return _norm(llama.norm, hidden)


def run_below(llama: Any, hidden: Tensor, positions: Tensor, bias: Tensor, cut: int) -> Tensor:  # noqa: ANN401
    """Run the layers under `cut` alone; give the hidden states (B, T, H) in front of it."""
    sight = _sight(llama, hidden, positions, bias, None)
    return _blocks(llama, hidden, sight, range(cut), hidden.shape[1])


def run_above(
    llama: Any,  # noqa: ANN401
    hidden: Tensor,
    positions: Tensor,
    bias: Tensor,
    last: int,
    cut: int,
) -> Tensor:
    """From hidden states (B, T, H) in front of layer `cut` on, what `run_trunk` gives."""
    sight = _sight(llama, hidden, positions, bias, None)
    return _norm(llama.norm, _blocks(llama, hidden, sight, range(cut, len(llama.layers)), last))


def _sight(
    llama: Any,  # noqa: ANN401
    hidden: Tensor,
    positions: Tensor,
    bias: Tensor | None,
    cache: Cache | None,
) -> _Sight:
    cos, sin = llama.rotary_emb(hidden, positions)
    return _Sight(cos.unsqueeze(1), sin.unsqueeze(1), bias, cache)


def _blocks(llama: Any, hidden: Tensor, sight: _Sight, which: range, last: int) -> Tensor:  # noqa: ANN401
    """Run some layers; the top one for the last tokens alone."""
    for index in which:
        keep = last if index == len(llama.layers) - 1 else hidden.shape[1]
        layer = llama.layers[index]
        if llama.gradient_checkpointing and torch.is_grad_enabled():
            hidden = checkpoint(_layer, layer, hidden, sight, keep, index, use_reentrant=False)
        else:
            hidden = _layer(layer, hidden, sight, keep, index)
    return hidden


def _layer(layer: Any, hidden: Tensor, sight: _Sight, keep: int, index: int) -> Tensor:  # noqa: ANN401
    normed = _norm(layer.input_layernorm, hidden)
    hidden = hidden[:, -keep:]
    hidden = hidden + _attend(layer.self_attn, normed, sight, keep, index)
    return hidden + _mlp(layer.mlp, _norm(layer.post_attention_layernorm, hidden))


def _attend(
    attention: Any,  # noqa: ANN401
    normed: Tensor,
    sight: _Sight,
    keep: int,
    index: int,
) -> Tensor:
    cos, sin, bias, cache = sight
    size = attention.head_dim
    asking = normed[:, -keep:]
    query = attention.q_proj(asking).unflatten(2, (-1, size)).transpose(1, 2)
    key = attention.k_proj(normed).unflatten(2, (-1, size)).transpose(1, 2)
    value = attention.v_proj(normed).unflatten(2, (-1, size)).transpose(1, 2)
    query = _turn(query, cos[:, :, -keep:], sin[:, :, -keep:])
    key = _turn(key, cos, sin)
    if cache is not None:
        start, end = cache.used, cache.used + key.shape[2]
        cache.keys[index, :, :, start:end] = key
        cache.values[index, :, :, start:end] = value
        key, value = cache.keys[index, :, :, :end], cache.values[index, :, :, :end]
    mixed = scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=None if bias is None else bias[:, :, -keep:],
        scale=attention.scaling,
        enable_gqa=query.shape[1] != key.shape[1],
    )
    out: Tensor = attention.o_proj(mixed.transpose(1, 2).flatten(2))
    return out


def _turn(heads: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary positions: the two halves of a head turned by their angles (Su et al. 2021)."""
    left, right = heads.chunk(2, -1)
    return heads * cos + torch.cat([-right, left], -1) * sin


def _norm(norm: Any, hidden: Tensor) -> Tensor:  # noqa: ANN401
    return rms_norm(hidden, norm.weight.shape, norm.weight, norm.variance_epsilon)


def _mlp(mlp: Any, hidden: Tensor) -> Tensor:  # noqa: ANN401
    out: Tensor = mlp.down_proj(silu(mlp.gate_proj(hidden)) * mlp.up_proj(hidden))
    return out
