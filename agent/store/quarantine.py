"""Damaged episodes are set aside with the reason, and neither read nor learned from any more."""

from __future__ import annotations

import datetime
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.durable import make_folder, move_folder, storage_errors, write_text
from agent.store.folders import Folders
from agent.store.names import is_id

log = logging.getLogger(__name__)

_MOST = 20  # reasons kept; one damaged disk block can spoil hundreds of files


@dataclass(frozen=True, slots=True)
class SetAside:
    """A quarantined episode. since: UTC, ISO 8601; "" where the reason was lost."""

    episode: str
    since: str
    why: tuple[str, ...]


def set_aside(folders: Folders, folder: Path, why: Sequence[str]) -> None:
    """Move a damaged episode to quarantine, its reason first. Raises StorageError."""
    make_folder(folders.quarantine)
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    more = [f"and {len(why) - _MOST} more"] if len(why) > _MOST else []
    reason = {"episode": folder.name, "since": now, "why": [*why[:_MOST], *more]}
    name = _free_name(folders, folder.name)
    write_text(folders.quarantine / f"{name}.json", json.dumps(reason, indent=1) + "\n")
    move_folder(folder, folders.quarantine / name)
    log.error("episode %s is set aside in %s: %s", folder.name, folders.quarantine, why[0])


def quarantined(folders: Folders) -> tuple[SetAside, ...]:
    """All episodes set aside, oldest first."""
    if not folders.quarantine.is_dir():
        return ()
    names = sorted(each.name for each in folders.quarantine.iterdir() if each.is_dir())
    return tuple(_read(folders, name) for name in names if is_id(name.partition("-")[0]))


def _free_name(folders: Folders, name: str) -> str:
    """The id itself, or with a number where an episode of that id was set aside before."""
    taken, number = name, 2
    while (folders.quarantine / taken).exists():
        taken, number = f"{name}-{number}", number + 1
    return taken


def _read(folders: Folders, name: str) -> SetAside:
    path, episode = folders.quarantine / f"{name}.json", name.partition("-")[0]
    try:
        with storage_errors(path, "reading"):
            values = json.loads(path.read_text("utf-8")) if path.is_file() else {}
        return SetAside(episode, str(values["since"]), tuple(str(each) for each in values["why"]))
    except (ValueError, KeyError, TypeError):
        return SetAside(episode, "", ("no reason was kept",))
