"""A vision-language model as a local folder: real processor, safetensors, no code of others."""

from __future__ import annotations

import copy
import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForImageTextToText, AutoProcessor
from transformers.utils import logging as transformers_log

from agent.durable import storage_errors
from agent.errors import DataError, StorageError
from agent.reward.asking import Model

SHIPPED = Path(__file__).with_name("shipped")
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
# What decides an answer besides the weights; other files may lie beside them.
_FACTS = (
    "config.json", "processor_config.json", "preprocessor_config.json", "tokenizer.json",
    "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja",
    "chat_template.json",
)  # fmt: skip
_PICKLES = {".bin", ".pt", ".pth", ".ckpt"}


def load_vlm(folder: Path, device: str = "cpu") -> tuple[Model, Model]:
    """Read a model, in eval mode, and its processor.

    A small model on a CPU computes in float32, whatever its file keeps. Raises DataError for a
    folder that is incomplete or damaged, or that wants code of its own to run.
    """
    config = _refuse_code(folder)
    weight_files(folder)
    dtype = torch.float32 if device == "cpu" and _is_small(folder) else "auto"
    transformers_log.disable_progress_bar()
    read: Model = AutoModelForImageTextToText.from_pretrained
    try:
        model, info = read(
            folder, trust_remote_code=False, local_files_only=True, use_safetensors=True,
            dtype=dtype, output_loading_info=True,
        )  # fmt: skip
        processor = AutoProcessor.from_pretrained(
            folder, trust_remote_code=False, local_files_only=True
        )
    # transformers, safetensors and tokenizers raise bare Exception for damaged files.
    except Exception as error:
        raise DataError(
            f"{folder}: a model that answers pictures with text wanted, "
            f"{config.get('model_type', 'an unnamed one')} cannot be read: {_first_line(error)}; "
            "fetch the checkpoint again, or install what its processor needs"
        ) from error
    wrong = [*info["missing_keys"], *info.get("mismatched_keys", ())]
    if wrong:
        raise DataError(
            f"{folder}: {len(wrong)} weights are missing or of another shape, {wrong[0]} first; "
            "fetch the checkpoint again"
        )
    if not hasattr(processor, "tokenizer"):
        raise DataError(f"{folder}: a processor of pictures and words wanted, found words alone")
    return model.eval().to(device), processor


def save_vlm(
    model: Model,
    processor: Model,
    folder: Path,
    dtype: torch.dtype | None = None,
) -> None:
    """Write a model and its processor; dtype None keeps the model's. Raises StorageError."""
    transformers_log.disable_progress_bar()
    kept = copy.deepcopy(model).to(dtype) if dtype else model
    try:
        with storage_errors(folder, "writing"):
            kept.save_pretrained(folder)
            processor.save_pretrained(folder)
    except SafetensorError as error:
        raise StorageError(f"writing {folder} failed: {error}; check the disk") from error


def weight_files(folder: Path) -> list[Path]:
    """Name the safetensors files of a folder, in order. Raises DataError where there are none."""
    if (folder / INDEX).is_file():
        named = set(_read_json(folder / INDEX).get("weight_map", {}).values())
        # A name with a folder in it could lead anywhere.
        paths = [folder / name for name in sorted(named) if Path(name).name == name]
    else:
        paths = [folder / WEIGHTS]
    missing = [path.name for path in paths if not path.is_file()]
    if missing or not paths:
        pickles = [path.name for path in sorted(folder.glob("*")) if path.suffix in _PICKLES]
        hint = f"; {pickles[0]} is a pickle and is never opened: convert it" if pickles else ""
        raise DataError(f"{folder} lacks {', '.join(missing) or 'weights'}{hint}")
    return paths


def vlm_hash(folder: Path) -> str:
    """sha256 of all that decides an answer: configuration, words and weights."""
    facts = [folder / name for name in _FACTS if (folder / name).is_file()]
    digest = hashlib.sha256()
    for path in (*facts, *weight_files(folder)):
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _refuse_code(folder: Path) -> dict[str, Any]:
    """Read config.json. Raises DataError where any file of the folder names code to run."""
    if not folder.is_dir():
        raise DataError(f"the folder of a model wanted, found none at {folder}; check its path")
    config = _read_json(folder / "config.json")
    for path in sorted(folder.glob("*.json")):
        if path.name in _FACTS and _names_code(_read_json(path)):
            raise DataError(
                f"{path} wants code of its own to run (auto_map), and none is ever run; "
                "take a checkpoint of an architecture that transformers has"
            )
    return config


def _names_code(value: object) -> bool:
    if isinstance(value, dict):
        return "auto_map" in value or any(_names_code(each) for each in value.values())
    return isinstance(value, list) and any(_names_code(each) for each in value)


def _is_small(folder: Path) -> bool:
    return sum(path.stat().st_size for path in weight_files(folder)) < 1 << 31


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as JSON: {error}; fetch it again") from error
    if not isinstance(content, dict):
        raise DataError(f"{path} must hold a JSON object; found {type(content).__name__}")
    return content
