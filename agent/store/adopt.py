"""A sound episode under another id: its record and its Zarr group then both say so."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from agent.store.hashes import FileHash
from agent.store.record import EpisodeRecord

ROOT = "zarr.json"  # metadata and attributes of the group


def renamed(
    record: EpisodeRecord, root: bytes, episode_id: str, changes: Mapping[str, Any] | None = None
) -> tuple[EpisodeRecord, bytes]:
    """The record and the group's metadata of the same episode under this id.

    root: the bytes of data.zarr/zarr.json. changes: attributes to replace, as `attributes_of`
    names them; the summary follows those it has, and "use" of the extra.
    """
    attributes = {**record.attributes, **(changes or {}), "episode": episode_id}
    task = attributes["task"]
    summary = dataclasses.replace(
        record.summary,
        id=episode_id,
        task=str(task["name"]),
        instruction=str(task["instruction"]),
        start=int(task["start"]),
        seed=int(task["seed"]),
        adapter=str(attributes["adapter"]),
        began=str(attributes["began"]),
        use=str(attributes["extra"].get("use", "")),
    )
    if record.layout is None:
        return dataclasses.replace(record, summary=summary, attributes=attributes), root
    metadata = json.loads(root)
    metadata["attributes"] = attributes
    written = json.dumps(metadata, indent=2).encode()
    files = {**record.files, ROOT: FileHash.of(written)}
    size = sum(found.size for found in files.values())
    summary = dataclasses.replace(summary, stored_bytes=size)
    return dataclasses.replace(record, summary=summary, attributes=attributes, files=files), written
