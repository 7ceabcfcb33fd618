"""LoRA folders that plain peft wrote elsewhere: read by what their keys adapt."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from agent.errors import DataError
from agent.policy.targets import Kind

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
PREFIX = "base_model.model."  # peft's own name for a wrapped model
# What would change the sum W x + (alpha / r) B A x, and what is not its weights.
_PLAIN: Mapping[str, tuple[Any, ...]] = {
    "peft_type": ("LORA",),
    "bias": ("none", None),
    "use_dora": (False, None),
    "use_rslora": (False, None),
    "modules_to_save": (None, []),
    "rank_pattern": ({}, None),
    "alpha_pattern": ({}, None),
    "fan_in_fan_out": (False, None),
}


def read_size(folder: Path) -> tuple[int, float, str]:
    """Rank, alpha and the pattern of layers of a LoRA folder, "" where it lists them.

    Raises DataError for what is no plain LoRA.
    """
    path = folder / CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        rank, alpha = int(config["r"]), float(config["lora_alpha"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder} is no adapter: {error!r}") from error
    odd = [
        f"{name} {config[name]!r}"
        for name, plain in _PLAIN.items()
        if name in config and config[name] not in plain
    ]
    if rank < 1 or not 0 < alpha < math.inf:
        odd.append(f"rank {rank}, alpha {alpha:g}")
    if odd:
        raise DataError(f"{path}: a plain LoRA wanted, found {', '.join(odd)}")
    adapted = config.get("target_modules")
    return rank, alpha, adapted if isinstance(adapted, str) else ""


def read_weights(folder: Path) -> dict[str, Tensor]:
    """All tensors of a LoRA folder. Raises DataError for a pickle or a damaged file."""
    if not (folder / WEIGHTS).is_file() and (folder / "adapter_model.bin").is_file():
        raise DataError(
            f"{folder}: adapter_model.bin is a pickle and is never opened; convert it to {WEIGHTS}"
        )
    try:
        # Read whole first: a mapped file that is swapped under us would change the weights.
        return load((folder / WEIGHTS).read_bytes())
    except (OSError, SafetensorError) as error:
        raise DataError(f"{folder / WEIGHTS} cannot be read: {error}") from error


def fitting(
    state: Mapping[str, Tensor], layers: Mapping[Kind, Sequence[str]], unused: str
) -> tuple[Kind, dict[str, Tensor]]:
    """Which of our kinds these weights adapt, and the weights that matter.

    layers: by kind, the names of the layers it adapts. unused: pattern of layers that are never
    run, which "all-linear" elsewhere adapts as well; they are left out. Raises DataError.
    """
    kept = {
        key: tensor
        for key, tensor in state.items()
        if not re.fullmatch(unused, key.removeprefix(PREFIX).rpartition(".lora_")[0])
    }
    wanted = {
        kind: {f"{PREFIX}{name}.lora_{part}.weight" for name in names for part in "AB"}
        for kind, names in layers.items()
    }
    for kind, keys in wanted.items():
        if keys == kept.keys():
            return kind, kept
    nearest = min(wanted, key=lambda kind: len(wanted[kind] ^ kept.keys()))
    missing = sorted(wanted[nearest] - kept.keys())[:3]
    more = sorted(kept.keys() - wanted[nearest])[:3]
    raise DataError(
        f"weights for {' or '.join(map(str, layers))} wanted; nearest is {nearest}: "
        f"missing {', '.join(missing) or 'none'}; unexpected {', '.join(more) or 'none'}"
    )
