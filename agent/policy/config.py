"""What a VLA is made of, read from and written to OpenVLA's config.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from agent.errors import DataError
from agent.policy.towers import TINY_BACKBONE, Towers, normal_of, published, written

# Remote code that a published folder names for these is never run: this room is their code.
Decoding = Literal["autoregressive", "one-pass"]
Images = Literal["plain", "libero", "bridge"]
DECODINGS, IMAGES = get_args(Decoding), get_args(Images)
PROJECTORS = {1: "gelu-mlp", 2: "fused-gelu-mlp"}  # by the number of towers
NATIVE = frozenset({"OpenVLAForActionPrediction", "PrismaticForConditionalGeneration"})


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

    towers: DINOv2-like, then SigLIP-like, or one of them. proprio_dim 0: the model feels nothing.
    chunk: control steps a decision; decoding: token by token, or all in one pass.
    norm_key: which entry of norm_stats to use; empty where there is only one.
    pixel_mean, pixel_std: of pixels in 0 .. 1, three channels a tower; empty: as those towers
    were trained. action_top: the id above the last action; 0: the vocabulary before padding.
    images: how a picture is brought to the towers' size, a name in agent/policy/images.py.
    """

    text_config: Mapping[str, Any]
    towers: Towers
    norm_stats: Mapping[str, Any]
    arch_specifier: str = ""
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
    decoding: Decoding = "autoregressive"
    empty_token_id: int = 29871
    norm_key: str = ""
    pixel_mean: tuple[float, ...] = ()
    pixel_std: tuple[float, ...] = ()
    action_top: int = 0
    images: Images = "plain"

    def __post_init__(self) -> None:
        """Refuse what cannot be built. Raises DataError."""
        mean, std = normal_of(self.towers)
        arch = self.arch_specifier or f"no-align+{PROJECTORS[len(self.towers)]}"
        object.__setattr__(self, "arch_specifier", arch)
        object.__setattr__(self, "pixel_mean", self.pixel_mean or mean)
        object.__setattr__(self, "pixel_std", self.pixel_std or std)
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
        """The id above the last action; the vocabulary before padding unless told otherwise."""
        return self.action_top or int(self.text_config["vocab_size"]) - self.pad_to_multiple_of

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
    "empty_token_id", "norm_key", "pixel_mean", "pixel_std", "action_top", "images",
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
        "use_fused_vision_backbone": len(config.towers) == 2,
        **published,
        "text_config": dict(config.text_config),
        "vlarl": ours,
    }


def config_from_json(content: Mapping[str, Any]) -> VLAConfig:
    """Read the content of config.json. Raises DataError naming what is missing or wrong."""
    made_for = content.get("architectures") or ["none"]
    if "auto_map" in content and not NATIVE.issuperset(map(str, made_for)):
        raise DataError(
            f"config.json names remote code (auto_map) for {', '.join(map(str, made_for))}, and "
            f"remote code is never run; known without it: {', '.join(sorted(NATIVE))}"
        )
    _check_kinds(content)
    ours = dict(content.get("vlarl", {}))
    towers = ours.pop("towers", None)
    unknown = sorted(set(ours) - set(_OURS))
    if unknown:
        raise DataError(f"config.json has unknown keys under vlarl: {', '.join(unknown)}")
    values = {name: content[name] for name in _PUBLISHED if name in content} | ours
    values["text_config"] = _llama_sizes(content["text_config"], content)
    values["towers"] = _read_towers(content, towers)
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
    if sizes.get("model_type", "llama") != "llama":
        return sizes
    # Llama's published vocabulary and pad stand in the outer config where the inner one is silent.
    for name, default in (("vocab_size", 32064), ("pad_token_id", 32000)):
        if sizes.get(name) is None:
            sizes[name] = content.get(name) or default
    return sizes


def _read_towers(content: Mapping[str, Any], towers: list[dict[str, Any]] | None) -> Towers:
    backbone = str(content.get("vision_backbone_id", TINY_BACKBONE))
    if backbone == TINY_BACKBONE:
        return written(towers)
    names, sizes = content.get("timm_model_ids", ()), content.get("image_sizes", ())
    return published(backbone, tuple(map(str, names)), tuple(sizes))


def _check(config: VLAConfig) -> None:
    wrong = _wrong_sight(config)
    if config.n_action_bins != 256:
        wrong.append(f"n_action_bins {config.n_action_bins} (256 wanted)")
    for name, known in (("decoding", DECODINGS), ("images", IMAGES)):
        if getattr(config, name) not in known:
            wrong.append(f"{name} {getattr(config, name)!r} ({' or '.join(known)})")
    if config.chunk < 1 or not config.cameras:
        wrong.append("a chunk of at least 1 and a camera are wanted")
    sizes = {len(config.proprio_mean), len(config.proprio_std), config.proprio_dim}
    if len(sizes) != 1 or not all(std > 0 for std in config.proprio_std):
        wrong.append("proprio_dim, proprio_mean and a positive proprio_std must have one length")
    if wrong:
        raise DataError(f"config.json: {'; '.join(wrong)}")


def _wrong_sight(config: VLAConfig) -> list[str]:
    wrong, towers = [], config.towers
    if len({(tower.image_px, tower.patches) for tower in towers}) != 1:
        wrong.append("both towers must see the same pixels and patches")
    if any(tower.image_px < tower.patch or tower.width % tower.heads for tower in towers):
        wrong.append("image_px must hold a patch, and width be a multiple of heads")
    if config.arch_specifier.rpartition("+")[2] != PROJECTORS[len(towers)]:
        wanted = f"...+{PROJECTORS[len(towers)]} for {len(towers)} towers"
        wrong.append(f"arch_specifier {config.arch_specifier!r} ({wanted})")
    if not len(config.pixel_mean) == len(config.pixel_std) == 3 * len(towers):
        wrong.append(f"pixel_mean and pixel_std must have {3 * len(towers)} values")
    return wrong
