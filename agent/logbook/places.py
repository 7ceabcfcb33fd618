"""Where an episode lies, whatever became of it."""

from __future__ import annotations

from pathlib import Path

from agent.errors import UsageError
from agent.logbook.episodes_view import Status
from agent.store.folders import Folders
from agent.store.names import check_id


def place(run: Path, episode: str) -> tuple[Status, Path]:
    """An episode's status and its folder. Raises UsageError for a malformed or unknown id."""
    check_id(episode)
    folders = Folders(run)
    parents: tuple[tuple[Status, Path], ...] = (
        ("sealed", folders.episodes),
        ("interrupted", folders.interrupted),
        ("quarantined", folders.quarantine),
        ("running", folders.staging),
        ("sealed", folders.episodes),  # again: it may have been sealed since
    )
    for status, parent in parents:
        if (parent / episode).is_dir():
            return status, parent / episode
    raise UsageError(f"{run} has no episode {episode}; `vlarl-agent episodes ls` lists them")
