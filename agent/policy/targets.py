"""Which layers of the model an adapter changes."""

from __future__ import annotations

from typing import Literal, get_args

from agent.errors import DataError
from agent.policy.towers import TowerConfig
from agent.policy.vla import TOWERS, VLA

Targets = Literal["language", "language+projector", "all-linear"]
TARGETS: tuple[Targets, ...] = get_args(Targets)


def target_pattern(model: VLA, targets: Targets) -> str:
    """The layers that get a LoRA, as one pattern over whole module names.

    Blocks that are never run and the output rows are left out: they would get no gradient.
    """
    language = (
        r"language_model\.model\.layers\.\d+\."
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


def unused(model: VLA) -> str:
    """Layers of the towers that are kept for their published names and never run."""
    last = "|".join(
        rf"{name}\.(blocks\.{tower.depth - 1}|attn_pool)\..*"
        for name, tower in zip(TOWERS, model.config.towers, strict=False)
    )
    return rf"vision_backbone\.({last})"


def _run_blocks(tower: TowerConfig) -> str:
    return "|".join(str(index) for index in range(tower.depth - 1))
