"""Which layers of the model an adapter changes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

from agent.configuration import must_be_cut
from agent.errors import DataError
from agent.policy.towers import TowerConfig
from agent.policy.vla import TOWERS, VLA

Targets = Literal["language", "language+projector", "all-linear"]
TARGETS: tuple[Targets, ...] = get_args(Targets)
_BLOCK = re.compile(r"language_model\.model\.layers\.(\d+)\.")


class Kind(NamedTuple):
    """Which layers: all of a target, or of the language model so many of its top blocks alone."""

    targets: Targets
    top: int = 0

    def __str__(self) -> str:
        return f"{self.targets}, top {self.top}" if self.top else self.targets


def target_pattern(model: VLA, targets: Targets, top: int = 0) -> str:
    """The layers that get a LoRA, as one pattern over whole module names.

    top: of the language model, so many of its last blocks alone; 0: all. Blocks that are never run
    and the output rows are left out: they would get no gradient.
    """
    if top:
        must_be_cut(targets, top, depth_of(model))
    blocks = "|".join(map(str, range(depth_of(model) - top, depth_of(model))))
    which = rf"({blocks})" if top else r"\d+"
    language = (
        rf"language_model\.model\.layers\.{which}\."
        r"(self_attn\.[qkvo]_proj|mlp\.(gate|up|down)_proj)"
    )
    parts = {"language": [language], "language+projector": [language, r"projector\.fc[123]"]}
    towers = [
        rf"vision_backbone\.{name}\.blocks\.({_run_blocks(tower)})\.(attn\.(qkv|proj)|mlp\.fc[12])"
        for name, tower in zip(TOWERS, model.config.towers, strict=False)
    ]
    parts["all-linear"] = [*parts["language+projector"], *towers]
    if targets not in parts:
        raise DataError(f"adapter targets must be one of {', '.join(parts)}; found {targets!r}")
    return "|".join(f"({part})" for part in parts[targets])


def top_of(model: VLA, names: Iterable[str]) -> int:
    """How many of the language model's last blocks these weights reach down to; 0: all."""
    found = [int(part[1]) for name in names if (part := _BLOCK.search(name))]
    lowest, depth = min(found, default=0), depth_of(model)
    return depth - lowest if lowest < depth and lowest else 0


def depth_of(model: VLA) -> int:
    """Blocks of the language model."""
    return len(model.language_model.model.layers)


def unused(model: VLA) -> str:
    """Layers of the towers that are kept for their published names and never run."""
    last = "|".join(
        rf"{name}\.(blocks\.{tower.depth - 1}|attn_pool)\..*"
        for name, tower in zip(TOWERS, model.config.towers, strict=False)
    )
    return rf"vision_backbone\.({last})"


def _run_blocks(tower: TowerConfig) -> str:
    return "|".join(str(index) for index in range(tower.depth - 1))
