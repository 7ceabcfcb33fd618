"""episode.json: what an episode is, and the size and hash that each of its files must have."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from agent.durable import storage_errors, write_bytes
from agent.errors import DataError
from agent.store.hashes import FileHash
from agent.store.layout import Layout
from agent.store.schema import SCHEMA_VERSION, check_schema, made_by
from agent.store.summary import Summary

RECORD = "episode.json"
DATA = "data.zarr"


@dataclass(frozen=True, slots=True)
class EpisodeRecord:
    """One committed episode.

    attributes: task, ending, judgement and the rest, as they also stand in the Zarr group.
    layout: None when not even a first view was kept. files: path within data.zarr to its hash.
    """

    status: Literal["complete", "interrupted"]
    summary: Summary
    layout: Layout | None
    attributes: Mapping[str, Any]
    files: Mapping[str, FileHash]


def write_record(folder: Path, record: EpisodeRecord) -> None:
    """Write episode.json, whole or not at all: the last file before the commit."""
    write_bytes(folder / RECORD, record_bytes(record))


def record_bytes(record: EpisodeRecord) -> bytes:
    """The content of episode.json, its own hash included."""
    values = {
        "schema_version": SCHEMA_VERSION,
        "vlarl_version": made_by(),
        "status": record.status,
        "summary": record.summary.to_json(),
        "layout": None if record.layout is None else record.layout.to_json(),
        "attributes": dict(record.attributes),
        "files": {path: asdict(found) for path, found in sorted(record.files.items())},
    }
    values["sha256"] = _own_hash(values)
    return json.dumps(values, indent=1).encode()


def read_record(folder: Path) -> EpisodeRecord:
    """Read episode.json. Raises DataError for a missing, torn, altered or newer one."""
    path = folder / RECORD
    values = _load(path)
    check_schema(path, values)
    if values.get("sha256") != _own_hash(values):
        raise DataError(f"{path}: its hash is wrong, so it was altered; the episode cannot be used")
    try:
        layout = values["layout"]
        return EpisodeRecord(
            status=values["status"],
            summary=Summary.from_json(values["summary"]),
            layout=None if layout is None else Layout.from_json(layout),
            attributes=values["attributes"],
            files={path: FileHash(**found) for path, found in values["files"].items()},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: lacks or garbles {error}; the episode cannot be used") from error


def _load(path: Path) -> dict[str, Any]:
    try:
        with storage_errors(path, "reading"):
            text = path.read_text("utf-8") if path.is_file() else None
        if text is None:
            raise DataError(f"{path} is missing; the episode cannot be used")
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: torn or altered ({error}); the episode cannot be used") from error
    if not isinstance(values, dict):
        raise DataError(f"{path}: want a JSON object; the episode cannot be used")
    return values


def _own_hash(values: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in values.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
