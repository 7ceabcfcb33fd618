"""The frozen language model in 8 or 4 bits, by bitsandbytes; adapters above it stay float32."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from agent.errors import UsageError
from agent.policy.usage import Base
from agent.policy.vla import VLA

BLOCK = 64  # weights that share a scale in 4 bits


def quantize(vla: VLA, kind: Base, device: torch.device) -> None:
    """Replace every linear layer of the language model's blocks, in place, on the device.

    nf4: 4-bit NormalFloat with doubly quantised scales (Dettmers et al. 2023, QLoRA, section 3);
    int8: 8-bit rows with outliers apart (Dettmers et al. 2022). The towers, the projector, the
    embeddings and the output rows keep their precision. Raises UsageError without bitsandbytes.
    """
    if kind == "whole":
        return
    try:
        import bitsandbytes
    except ImportError as error:
        raise UsageError(
            f"policy.base {kind} wants bitsandbytes, found none; "
            "pip install 'vlarl-agent[quantize]'"
        ) from error
    text = vla.language_model.config
    if kind == "nf4" and (text.hidden_size % BLOCK or text.intermediate_size % BLOCK):
        raise UsageError(
            f"policy.base nf4 wants layers of a multiple of {BLOCK} inputs, found "
            f"{text.hidden_size} and {text.intermediate_size}; use int8 or whole"
        )
    make = _four if kind == "nf4" else _eight
    for layer in vla.language_model.model.layers:
        for parent in (layer.self_attn, layer.mlp):
            for name, linear in list(parent.named_children()):
                if isinstance(linear, nn.Linear):
                    setattr(parent, name, make(bitsandbytes.nn, linear, device))
    # peft chooses its layers by these.
    setattr(vla, "is_loaded_in_4bit" if kind == "nf4" else "is_loaded_in_8bit", True)


def _four(library: Any, linear: nn.Linear, device: torch.device) -> nn.Module:  # noqa: ANN401
    made: Any = library.Linear4bit(
        linear.in_features,
        linear.out_features,
        bias=linear.bias is not None,
        compute_dtype=linear.weight.dtype,
        compress_statistics=True,
        quant_type="nf4",
        device="meta",
    )
    # On some CPUs an evaluated layer repacks itself into a form that gradients do not pass.
    made.support_avx512bf16_for_cpu = False
    made.weight = library.Params4bit(
        linear.weight.data, requires_grad=False, compress_statistics=True, quant_type="nf4"
    ).to(device)
    return _biased(made, linear, device)


def _eight(library: Any, linear: nn.Linear, device: torch.device) -> nn.Module:  # noqa: ANN401
    made: nn.Module = library.Linear8bitLt(
        linear.in_features,
        linear.out_features,
        bias=linear.bias is not None,
        has_fp16_weights=False,
        device="meta",
    )
    made.weight = library.Int8Params(
        linear.weight.data, requires_grad=False, has_fp16_weights=False
    ).to(device)
    return _biased(made, linear, device)


def _biased(made: nn.Module, linear: nn.Linear, device: torch.device) -> nn.Module:
    if linear.bias is not None:
        made.bias = nn.Parameter(linear.bias.data.to(device), requires_grad=False)
    return made.eval()
