"""What a VLA is made of, read from and written to OpenVLA's config.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from agent.errors import DataError

TINY_BACKBONE = "tiny-dinosiglip"
# ImageNet's mean and std rounded to bf16, as the released preprocessor carries them; then SigLIP's.
PIXEL_MEAN = (0.484375, 0.455078125, 0.40625, 0.5, 0.5, 0.5)
PIXEL_STD = (0.228515625, 0.2236328125, 0.224609375, 0.5, 0.5, 0.5)


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
        """Patch tokens of one image."""
        return (self.image_px // self.patch) ** 2


PUBLISHED_TOWERS: Mapping[str, TowerConfig] = {
    "vit_large_patch14_reg4_dinov2.lvd142m": TowerConfig(
        1024, 24, 16, 14, 224, 4096, registers=4, class_token=True, layer_scale=True
    ),
    "vit_so400m_patch14_siglip_224": TowerConfig(1152, 27, 16, 14, 224, 4304, attention_pool=True),
}


def tiny_towers(image_px: int = 96, width: int = 96) -> tuple[TowerConfig, TowerConfig]:
    """A DINOv2-like and a SigLIP-like tower small enough for one CPU core."""
    dino = TowerConfig(
        width, 4, 4, 16, image_px, 4 * width, registers=4, class_token=True, layer_scale=True
    )
    return dino, TowerConfig(width, 4, 4, 16, image_px, 4 * width)


def tiny_text_config(hidden: int = 128, layers: int = 4, heads: int = 4) -> dict[str, Any]:
    """Sizes of a Llama small enough for one CPU core."""
    return {
        "model_type": "llama",
        "vocab_size": 1344,
        "hidden_size": hidden,
        "intermediate_size": 3 * hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": heads,
        "max_position_embeddings": 1024,
        "rms_norm_eps": 1e-6,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }


@dataclass(frozen=True)
class VLAConfig:
    """A whole VLA. The first fields are the published ones, the others live under "vlarl".

    towers: DINOv2-like, then SigLIP-like. proprio_dim 0: the model feels nothing.
    chunk: control steps a decision; decoding: token by token, or all in one pass.
    norm_key: which entry of norm_stats to use; empty where there is only one.
    pixel_mean, pixel_std: (6,) of pixels in 0 .. 1, three channels for each tower.
    """

    text_config: Mapping[str, Any]
    towers: tuple[TowerConfig, TowerConfig]
    norm_stats: Mapping[str, Any]
    arch_specifier: str = "no-align+fused-gelu-mlp"
    vision_backbone_id: str = TINY_BACKBONE
    timm_model_ids: tuple[str, ...] = ()
    image_resize_strategy: str = "resize-naive"
    llm_backbone_id: str = "llama2-tiny-pure"
    n_action_bins: int = 256
    pad_to_multiple_of: int = 64
    cameras: tuple[str, ...] = ("agentview",)
    proprio_dim: int = 0
    proprio_mean: tuple[float, ...] = ()
    proprio_std: tuple[float, ...] = ()
    chunk: int = 1
    decoding: Literal["autoregressive", "one-pass"] = "autoregressive"
    empty_token_id: int = 29871
    norm_key: str = ""
    pixel_mean: tuple[float, ...] = field(default=PIXEL_MEAN)
    pixel_std: tuple[float, ...] = field(default=PIXEL_STD)

    def __post_init__(self) -> None:
        """Refuse what cannot be built. Raises DataError."""
        _check(self)

    @property
    def image_px(self) -> int:
        """Height and width of an image as the towers want it."""
        return self.towers[0].image_px

    @property
    def tokens(self) -> int:
        """Action tokens a decision, 7 a control step."""
        return 7 * self.chunk

    @property
    def base_vocabulary(self) -> int:
        """Vocabulary before padding; its last ids are the actions."""
        return int(self.text_config["vocab_size"]) - self.pad_to_multiple_of

    @property
    def bos_token_id(self) -> int:
        """Id of the token every prompt starts with."""
        return int(self.text_config.get("bos_token_id", 1))

    @property
    def pad_token_id(self) -> int:
        """Id that fills short prompts; always masked."""
        return int(self.text_config.get("pad_token_id", 0))


_OURS = (
    "cameras", "proprio_dim", "proprio_mean", "proprio_std", "chunk", "decoding",
    "empty_token_id", "norm_key", "pixel_mean", "pixel_std",
)  # fmt: skip
_PUBLISHED = (
    "arch_specifier", "vision_backbone_id", "timm_model_ids", "image_resize_strategy",
    "llm_backbone_id", "n_action_bins", "pad_to_multiple_of", "text_config", "norm_stats",
)  # fmt: skip


def config_to_json(config: VLAConfig) -> dict[str, Any]:
    """Give the content of config.json."""
    published = {name: getattr(config, name) for name in _PUBLISHED}
    ours = {name: getattr(config, name) for name in _OURS}
    if config.vision_backbone_id == TINY_BACKBONE:
        ours["towers"] = [asdict(tower) for tower in config.towers]
    sizes = [tower.image_px for tower in config.towers]
    return {
        "model_type": "openvla",
        "architectures": ["OpenVLAForActionPrediction"],
        "image_sizes": sizes,
        "use_fused_vision_backbone": True,
        **published,
        "text_config": dict(config.text_config),
        "vlarl": ours,
    }


def config_from_json(content: Mapping[str, Any]) -> VLAConfig:
    """Read the content of config.json. Raises DataError naming what is missing or wrong."""
    if "auto_map" in content:
        # Published folders carry it; here the code is ours and theirs is never run.
        raise DataError("config.json names remote code (auto_map), which is never run; remove it")
    _check_kinds(content)
    ours = dict(content.get("vlarl", {}))
    towers = ours.pop("towers", None)
    unknown = sorted(set(ours) - set(_OURS))
    if unknown:
        raise DataError(f"config.json has unknown keys under vlarl: {', '.join(unknown)}")
    values = {name: content[name] for name in _PUBLISHED if name in content} | ours
    backbone = str(content.get("vision_backbone_id", TINY_BACKBONE))
    names = tuple(content.get("timm_model_ids", ()))
    values["text_config"] = _llama_sizes(content["text_config"], content)
    values["towers"] = _read_towers(backbone, names, towers)
    tuples = {f.name for f in fields(VLAConfig) if str(f.type).startswith("tuple")} - {"towers"}
    values |= {name: tuple(values[name]) for name in tuples if values.get(name) is not None}
    try:
        return VLAConfig(**values)
    except TypeError as error:
        raise DataError(f"config.json cannot be read: {error}") from error


def _check_kinds(content: Mapping[str, Any]) -> None:
    needed: dict[str, Any] = {"text_config": {}, "norm_stats": {}}
    optional = {"vlarl": {}, "timm_model_ids": [], "n_action_bins": 0, "pad_to_multiple_of": 0}
    example = optional | needed
    wrong = [
        f"{name} must be {type(kind).__name__}; found {content.get(name)!r}"
        for name, kind in example.items()
        if (name in needed or name in content) and not isinstance(content.get(name), type(kind))
    ]
    if wrong:
        raise DataError(f"config.json: {'; '.join(wrong)}")


def _llama_sizes(text: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
    sizes = dict(text)
    # Llama's published vocabulary and pad stand in the outer config where the inner one is silent.
    for name, default in (("vocab_size", 32064), ("pad_token_id", 32000)):
        if sizes.get(name) is None:
            sizes[name] = content.get(name) or default
    return sizes


def _read_towers(
    backbone: str, names: tuple[str, ...], towers: list[dict[str, Any]] | None
) -> tuple[TowerConfig, TowerConfig]:
    if backbone == TINY_BACKBONE:
        try:
            dino, siglip = (TowerConfig(**tower) for tower in towers or ())
        except (TypeError, ValueError) as error:
            raise DataError(f"config.json: vlarl.towers must be two towers: {error}") from error
        return dino, siglip
    unknown = [name for name in names if name not in PUBLISHED_TOWERS]
    if len(names) != 2 or unknown:
        raise DataError(
            f"vision backbone {backbone!r} with {list(names)} is not known here; "
            f"known: {TINY_BACKBONE} and two of {', '.join(PUBLISHED_TOWERS)}"
        )
    return PUBLISHED_TOWERS[names[0]], PUBLISHED_TOWERS[names[1]]


def _check(config: VLAConfig) -> None:
    dino, siglip = config.towers
    wrong = []
    if config.n_action_bins != 256:
        wrong.append(f"n_action_bins {config.n_action_bins} (256 wanted)")
    if config.decoding not in {"autoregressive", "one-pass"}:
        wrong.append(f"decoding {config.decoding!r} (autoregressive or one-pass)")
    if config.chunk < 1 or not config.cameras:
        wrong.append("a chunk of at least 1 and a camera are wanted")
    if (dino.image_px, dino.patches) != (siglip.image_px, siglip.patches):
        wrong.append("both towers must see the same pixels and patches")
    if any(tower.image_px % tower.patch or tower.width % tower.heads for tower in config.towers):
        wrong.append("image_px must be a multiple of patch, width of heads")
    sizes = {len(config.proprio_mean), len(config.proprio_std), config.proprio_dim}
    if len(sizes) != 1 or not all(std > 0 for std in config.proprio_std):
        wrong.append("proprio_dim, proprio_mean and a positive proprio_std must have one length")
    if wrong:
        raise DataError(f"config.json: {'; '.join(wrong)}")
