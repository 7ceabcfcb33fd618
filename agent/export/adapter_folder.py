"""Format `peft`: an adapter as a folder that plain PEFT loads, with a card that says what it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load

from agent import durable
from agent.errors import DataError, UsageError
from agent.export.folder import Done
from agent.export.model_card import Facts, card
from agent.learn.ledger import BASE, Ledger
from agent.policy.adapters import MANIFEST
from agent.policy.checkpoint import base_hash
from agent.policy.correction import FILE as CORRECTION
from agent.policy.foreign import CONFIG, WEIGHTS
from agent.store.run import Run

CARD = "README.md"


@dataclass(frozen=True, slots=True)
class AdapterJob:
    """adapter: its name, "" for the one that acts. base: folder of the checkpoint under it."""

    folder: Path
    run: Run
    out: Path
    base: Path
    adapter: str = ""
    licence: str = "other"


def export_adapter(job: AdapterJob) -> Done:
    """Write the folder, whole or not at all.

    Raises UsageError for a run without that adapter or a folder in use, DataError for an adapter
    that is damaged or was made for another base, StorageError for a disk that cannot keep it.
    """
    ledger = Ledger(job.folder)
    ledger.read()
    name = job.adapter or ledger.current
    made = {report.adapter for report in ledger.reports if report.kept} - {BASE}
    if name not in made:
        raise UsageError(
            f"adapter {name!r} wanted, this run kept {', '.join(sorted(made)) or 'none'}"
        )
    if job.out.exists():
        raise UsageError(f"{job.out} is there already; choose another folder")
    folder = ledger.folder(name)
    if folder is None:
        raise UsageError(f"{name!r} is no adapter but the bare policy")
    files = {part: _read(folder / part) for part in (CONFIG, WEIGHTS, MANIFEST)}
    if (folder / CORRECTION).is_file():
        files[CORRECTION] = _read(folder / CORRECTION)
    base = _check_base(folder, files[MANIFEST], job.base)
    facts = Facts(
        job.folder, job.run, name, base, job.licence, *_size(folder, files), CORRECTION in files
    )
    files[CARD] = card(facts, ledger.reports).encode()
    _publish(job.out, files)
    return Done(str(job.out), "peft", 0, len(files), ())


def _publish(out: Path, files: Mapping[str, bytes]) -> None:
    half = out.with_name(f".{out.name}.half")  # left by an export that died: begun anew
    durable.remove_folder(half)
    durable.make_folder(half)
    try:
        for name, data in files.items():
            durable.write_bytes(half / name, data)
        durable.publish_folder(half, out)
    except BaseException:
        durable.remove_folder(half)
        raise


def _check_base(folder: Path, manifest: bytes, base: Path) -> str:
    try:
        wanted = str(json.loads(manifest)["base"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder / MANIFEST} cannot be read: {error!r}; restore it") from error
    found = base_hash(base)
    if wanted != found:
        raise DataError(
            f"{folder} was made for base {wanted[:12]}, the checkpoint {base.name} is "
            f"{found[:12]}; name the right one with --base"
        )
    return found


def _size(folder: Path, files: Mapping[str, bytes]) -> tuple[int, float, int]:
    """Rank, alpha and number of weights. Raises DataError for weights that cannot act."""
    try:
        config: dict[str, Any] = json.loads(files[CONFIG])
        tensors = load(files[WEIGHTS])
        size = int(config["r"]), float(config["lora_alpha"])
    except (ValueError, KeyError, TypeError, SafetensorError) as error:
        raise DataError(f"{folder} is no sound adapter: {error!r}; restore it") from error
    wrong = [key for key, tensor in tensors.items() if not np.isfinite(tensor).all()]
    if wrong or not tensors:
        raise DataError(f"{folder}: NaN or infinity in {', '.join(wrong[:3]) or 'no weights'}")
    return *size, sum(tensor.size for tensor in tensors.values())


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}; restore it") from error
