"""A VLA as a folder in the published layout: safetensors only, every key accounted for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from agent.errors import DataError
from agent.policy.config import VLAConfig, config_from_json, config_to_json
from agent.policy.tokenizer import PromptTokenizer
from agent.policy.vit import ViT
from agent.policy.vla import LANGUAGE, VLA

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
EMBEDDINGS, HEAD = "language_model.model.embed_tokens.weight", "language_model.lm_head.weight"


def build_tiny(config: VLAConfig, seed: int) -> VLA:
    """Make a fresh model in float32: normal weights, sine-cosine position embeddings."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        vla = VLA(config)
        for name, module in vla.named_modules():
            if isinstance(module, nn.Linear | nn.Conv2d) and not name.startswith("language_model"):
                nn.init.trunc_normal_(module.weight, std=module.weight[0].numel() ** -0.5)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for tower in vla.vision_backbone.values():
            _begin(tower)
    return vla


def save_checkpoint(vla: VLA, tokenizer: PromptTokenizer, folder: Path) -> None:
    """Write config.json, model.safetensors, dataset_statistics.json and the tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    config = vla.config
    _write_json(folder / "config.json", config_to_json(config))
    _write_json(folder / "dataset_statistics.json", dict(config.norm_stats))
    normal = [
        {"mean": list(config.pixel_mean[i : i + 3]), "std": list(config.pixel_std[i : i + 3])}
        for i in (0, 3)
    ]
    _write_json(folder / "preprocessor_config.json", {"tvf_normalize_params": normal})
    tokenizer.save(folder)
    weights = {name: tensor.contiguous() for name, tensor in vla.state_dict().items()}
    save_file(weights, str(folder / WEIGHTS), metadata={"format": "pt"})


def load_config(folder: Path) -> VLAConfig:
    """Read config.json; dataset_statistics.json and preprocessor_config.json overrule it.

    Raises DataError naming what is missing or wrong.
    """
    if not (folder / "config.json").is_file():
        raise DataError(
            f"{folder}: a checkpoint folder wanted, with config.json, {WEIGHTS} or {INDEX} and its "
            "shards, and tokenizer.json; found no config.json"
        )
    content = _read_json(folder / "config.json")
    if (folder / "dataset_statistics.json").is_file():
        content["norm_stats"] = _read_json(folder / "dataset_statistics.json")
    if (folder / "preprocessor_config.json").is_file():
        normal = _read_json(folder / "preprocessor_config.json").get("tvf_normalize_params")
        if normal:
            ours = dict(content.get("vlarl", {}))
            ours["pixel_mean"] = [value for part in normal for value in part["mean"]]
            ours["pixel_std"] = [value for part in normal for value in part["std"]]
            content["vlarl"] = ours
    return config_from_json(content)


def load_checkpoint(
    folder: Path,
    device: str | torch.device = "cpu",
    dtype: torch.dtype | None = None,
    config: VLAConfig | None = None,
) -> VLA:
    """Read a whole model, frozen and in eval mode; dtype None keeps the file's.

    config: in place of the folder's own. Raises DataError for a missing file, a pickle, or any key
    or shape out of place.
    """
    config = config or load_config(folder)
    weights: dict[str, Tensor] = {}
    for path in weight_files(folder):
        try:
            weights |= load_file(str(path), device=str(device))
        except (SafetensorError, OSError) as error:
            raise DataError(f"{path} is damaged: {error}; fetch it again") from error
    # On meta nothing is drawn and no memory is taken twice: 15 GB at 7B.
    with torch.device("meta"):
        vla = built(config)
    if vla.language_model.config.tie_word_embeddings:  # one tensor of the file, two names
        weights.setdefault(HEAD, weights.get(EMBEDDINGS, torch.empty(0)))
    _check_keys(vla, weights, folder)
    if dtype is not None:
        weights = {name: tensor.to(dtype) for name, tensor in weights.items()}
    vla.load_state_dict(weights, assign=True)
    trunk = vla.language_model.model
    trunk.rotary_emb = type(trunk.rotary_emb)(trunk.config).to(device)  # never in a checkpoint
    vla.requires_grad_(requires_grad=False)
    return vla.eval()


def weight_files(folder: Path) -> list[Path]:
    """Name the safetensors files of a folder, in order. Raises DataError where there are none."""
    if (folder / INDEX).is_file():
        names = sorted(set(_read_json(folder / INDEX).get("weight_map", {}).values()))
        paths = [folder / name for name in names if Path(name).name == name]
    else:
        paths = [folder / WEIGHTS]
    missing = [path.name for path in paths if not path.is_file()]
    if missing or not paths:
        pickles = [p.name for p in folder.glob("*") if p.suffix in {".bin", ".pt", ".pth", ".ckpt"}]
        hint = f"; {pickles[0]} is a pickle and is never opened: convert it" if pickles else ""
        shards = sorted(p.name for p in folder.glob("model-*-of-*.safetensors"))
        if shards and not (folder / INDEX).is_file():
            hint = f"; {shards[0]} is there, but {INDEX}, which lists the shards, is not"
        raise DataError(f"{folder} lacks {', '.join(missing) or 'weights'}{hint}")
    return paths


def base_hash(folder: Path) -> str:
    """sha256 over the safetensors of a folder, in the order of their names."""
    digest = hashlib.sha256()
    for path in weight_files(folder):
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def built(config: VLAConfig) -> VLA:
    """A model of this config with whatever weights come. Raises DataError where none can be."""
    kind = config.text_config.get("model_type", "llama")
    if kind not in LANGUAGE:
        raise DataError(
            f"config.json: a language model of the kinds {', '.join(LANGUAGE)} wanted; "
            f"found model_type {kind!r}"
        )
    try:
        return VLA(config)
    except (
        StrictDataclassError, ValueError, ArithmeticError, LookupError, RuntimeError, AssertionError
    ) as error:  # fmt: skip
        # What transformers and torch raise for sizes that make no Llama.
        raise DataError(f"config.json: text_config makes no model: {error!r}") from error


def _check_keys(vla: VLA, weights: Mapping[str, Tensor], folder: Path) -> None:
    wanted = vla.state_dict()
    missing, unexpected = wanted.keys() - weights.keys(), weights.keys() - wanted.keys()
    shapes = [
        f"{name} {tuple(weights[name].shape)} for {tuple(wanted[name].shape)}"
        for name in sorted(wanted.keys() & weights.keys())
        if weights[name].shape != wanted[name].shape
    ]
    found = [
        f"{kind}: {', '.join(sorted(names)[:5])}{f' and {len(names) - 5} more' * (len(names) > 5)}"
        for kind, names in (
            ("missing", list(missing)), ("unexpected", list(unexpected)), ("shape", shapes),
        )
        if names
    ]  # fmt: skip
    if found:
        raise DataError(f"the weights in {folder} do not fit its config.json; {'; '.join(found)}")


def _begin(tower: nn.Module) -> None:
    if not isinstance(tower, ViT):
        raise TypeError(f"a tower must be a ViT; found {type(tower).__name__}")
    side = int(tower.config.patches**0.5)
    with torch.no_grad():
        tower.pos_embed.copy_(torch.from_numpy(_sine_cosine(side, tower.config.width)))
        for name in ("cls_token", "reg_token"):
            if hasattr(tower, name):
                nn.init.normal_(getattr(tower, name), std=0.02)


def _sine_cosine(side: int, width: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Fixed 2-D positions (side * side, width): half for the row, half for the column."""
    quarter = width // 4
    rates = 10000.0 ** -(np.arange(quarter) / quarter)
    angles = np.arange(side)[:, None] * rates
    waves = np.concatenate([np.sin(angles), np.cos(angles)], 1)
    rows, columns = np.meshgrid(np.arange(side), np.arange(side), indexing="ij")
    positions = np.zeros((side * side, width), np.float32)
    positions[:, : 4 * quarter] = np.concatenate([waves[rows.ravel()], waves[columns.ravel()]], 1)
    return positions


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(content, dict):
        raise DataError(f"{path} must hold a JSON object; found {type(content).__name__}")
    return content


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
