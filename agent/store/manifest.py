"""manifest.jsonl: one summary a line, for quick listings; derived, so folders outrank it."""

from __future__ import annotations

import json
import logging
import os

from agent.durable import storage_errors, write_all, write_text
from agent.errors import DataError
from agent.store.folders import Folders
from agent.store.names import ids_in, is_id
from agent.store.record import read_record
from agent.store.summary import Summary

log = logging.getLogger(__name__)


def read_manifest(folders: Folders) -> dict[str, Summary]:
    """The readable lines, by id; torn ones are left out."""
    if not folders.manifest.is_file():
        return {}
    with storage_errors(folders.manifest, "reading"):
        text = folders.manifest.read_text("utf-8", "replace")
    rows = {}
    for line in text.splitlines():
        try:
            row = Summary.from_json(json.loads(line))
        except (ValueError, TypeError, AttributeError, RecursionError):
            continue
        if is_id(str(row.id)):
            rows[row.id] = row
    return rows


def append_manifest(folders: Folders, row: Summary) -> None:
    """Add a line and sync it. Raises StorageError."""
    with storage_errors(folders.manifest, "writing"):
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        descriptor = os.open(folders.manifest, flags, 0o644)
        try:
            write_all(descriptor, _line(row).encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def mend_manifest(folders: Folders) -> bool:
    """Rewrite the manifest from the folders unless it tells the same; True where it was wrong."""
    text = manifest_of(folders)
    if folders.manifest.is_file():
        with storage_errors(folders.manifest, "reading"):
            if folders.manifest.read_bytes() == text.encode():
                return False
    write_text(folders.manifest, text)
    return True


def manifest_of(folders: Folders) -> str:
    """What the manifest must say: a line for each sealed episode that can be read."""
    rows = []
    for episode_id in ids_in(folders.episodes):
        try:
            rows.append(read_record(folders.episodes / episode_id).summary)
        except DataError as error:
            log.warning("episode %s is not listed: %s", episode_id, error)
    return "".join(_line(row) for row in rows)


def _line(row: Summary) -> str:
    return json.dumps(row.to_json()) + "\n"
