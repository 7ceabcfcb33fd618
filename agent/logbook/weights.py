"""How far two LoRA adapters are apart in the weights they add, without torch or the base."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from agent.episode import Float32Array
from agent.errors import DataError

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


@dataclass(frozen=True, slots=True)
class Added:
    """What an adapter adds to one layer: scale * b @ a. a: (r, in). b: (out, r)."""

    a: Float32Array
    b: Float32Array
    scale: float


Weights = Mapping[str, Added]


@dataclass(frozen=True, slots=True)
class LayerApart:
    """One layer: Frobenius norms of what each adapter adds, and of the difference."""

    layer: str
    first: float
    second: float
    distance: float


@dataclass(frozen=True, slots=True)
class Apart:
    """All layers together, by the same norms. layers: the most different first."""

    first: float
    second: float
    distance: float
    layers: tuple[LayerApart, ...]


def weights(folder: Path) -> Weights:
    """Read an adapter folder, by layer. Raises DataError for a damaged one."""
    try:
        config = json.loads((folder / CONFIG).read_text("utf-8"))
        scale = float(config["lora_alpha"]) / int(config["r"])
        tensors = load_file(folder / WEIGHTS)
        ends = ".lora_A.weight", ".lora_B.weight"
        names = [name.removesuffix(ends[0]) for name in tensors if name.endswith(ends[0])]
        return {
            name.removeprefix("base_model.model."): Added(
                tensors[name + ends[0]], tensors[name + ends[1]], scale
            )
            for name in names
        }
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, ZeroDivisionError) as error:
        raise DataError(f"adapter {folder.name} cannot be read: {error}") from error


def apart(first: Weights, second: Weights) -> Apart:
    """Hold two adapters against each other; {} adds nothing.

    |B1 A1 - B2 A2|^2 = <1,1> - 2 <1,2> + <2,2> with <i,j> = sum((Bi' Bj) * (Ai Aj')), which needs
    no matrix larger than rank by rank.
    """
    layers = []
    for name in sorted(first.keys() | second.keys()):
        ours, theirs = first.get(name), second.get(name)
        one, two, mixed = _inner(ours, ours), _inner(theirs, theirs), _inner(ours, theirs)
        # Rounding must not make a distance of nothing negative.
        distance = math.sqrt(max(0.0, one - 2 * mixed + two))
        layers.append(LayerApart(name, math.sqrt(one), math.sqrt(two), distance))
    layers.sort(key=lambda each: (-each.distance, each.layer))
    return Apart(
        first=math.hypot(*(each.first for each in layers)),
        second=math.hypot(*(each.second for each in layers)),
        distance=math.hypot(*(each.distance for each in layers)),
        layers=tuple(layers),
    )


def _inner(one: Added | None, two: Added | None) -> float:
    """Frobenius inner product of what two adapters add to a layer; 0 where one adds nothing."""
    if one is None or two is None:
        return 0.0
    left = one.b.T.astype(np.float64) @ two.b
    right = one.a.astype(np.float64) @ two.a.T
    return one.scale * two.scale * float((left * right).sum())
