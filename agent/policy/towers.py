"""Vision towers: the published ones by their timm names, and tiny ones for a CPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agent.errors import DataError

TINY_BACKBONE = "tiny-dinosiglip"
# ImageNet's mean and std rounded to bf16, as the released preprocessor carries them.
_IMAGENET_MEAN = (0.484375, 0.455078125, 0.40625)
_IMAGENET_STD = (0.228515625, 0.2236328125, 0.224609375)
_HALF = (0.5, 0.5, 0.5)


@dataclass(frozen=True, slots=True)
class TowerConfig:
    """One vision transformer. depth counts all blocks; the last one is kept but never run."""

    width: int
    depth: int
    heads: int
    patch: int
    image_px: int
    mlp_width: int
    registers: int = 0
    class_token: bool = False
    layer_scale: bool = False
    attention_pool: bool = False

    @property
    def patches(self) -> int:
        """Patch tokens of one image; pixels that fill no patch are not seen."""
        return (self.image_px // self.patch) ** 2

    @property
    def normal(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Mean and std, (3,) each, of the pixels that such a tower was trained on."""
        return (_IMAGENET_MEAN, _IMAGENET_STD) if self.class_token else (_HALF, _HALF)


Towers = tuple[TowerConfig, ...]

_SIGLIP = TowerConfig(1152, 27, 16, 14, 224, 4304, attention_pool=True)
PUBLISHED: Mapping[str, TowerConfig] = {
    "vit_large_patch14_reg4_dinov2.lvd142m": TowerConfig(
        1024, 24, 16, 14, 224, 4096, registers=4, class_token=True, layer_scale=True
    ),
    "vit_so400m_patch14_siglip_224": _SIGLIP,
    "vit_so400m_patch14_siglip_384": replace(_SIGLIP, image_px=384),
}


def tiny_towers(image_px: int = 96, width: int = 96) -> Towers:
    """A DINOv2-like and a SigLIP-like tower small enough for one CPU core."""
    dino = TowerConfig(
        width, 4, 4, 16, image_px, 4 * width, registers=4, class_token=True, layer_scale=True
    )
    return dino, TowerConfig(width, 4, 4, 16, image_px, 4 * width)


def published(backbone: str, names: Sequence[str], sizes: Sequence[int]) -> Towers:
    """Look towers up by their timm names. sizes: of the images, px, one a tower.

    Raises DataError for a backbone that is not known here.
    """
    unknown = [name for name in names if name not in PUBLISHED]
    if len(names) not in {1, 2} or unknown or (sizes and len(sizes) != len(names)):
        raise DataError(
            f"vision backbone {backbone!r} with {list(names)} at {list(sizes)} px is not known "
            f"here; known: {TINY_BACKBONE} and one or two of {', '.join(PUBLISHED)}"
        )
    wanted = sizes or [PUBLISHED[name].image_px for name in names]
    return tuple(
        replace(PUBLISHED[name], image_px=int(px)) for name, px in zip(names, wanted, strict=True)
    )


def written(rows: Sequence[Mapping[str, Any]] | None) -> Towers:
    """Read towers that a config describes itself. Raises DataError."""
    try:
        towers = tuple(TowerConfig(**row) for row in rows or ())
    except (TypeError, ValueError) as error:
        raise DataError(f"config.json: vlarl.towers cannot be read: {error}") from error
    if len(towers) not in {1, 2}:
        raise DataError(f"config.json: vlarl.towers must be one or two towers; found {rows!r}")
    return towers


def normal_of(towers: Towers) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and std of pixels in 0 .. 1, three channels a tower, (3 towers,) each."""
    means, stds = zip(*(tower.normal for tower in towers), strict=True)
    return tuple(v for part in means for v in part), tuple(v for part in stds for v in part)
