"""Which episodes a run lets go of when it grows too large or too old, and how they go."""

from __future__ import annotations

import datetime
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.durable import (
    make_folder,
    move_folder,
    remove_folder,
    storage_errors,
    sync_folder,
    write_all,
)
from agent.errors import DataError
from agent.store.folders import PRUNED, Folders
from agent.store.manifest import mend_manifest
from agent.store.names import ids_in, is_id
from agent.store.record import read_record
from agent.store.summary import Summary

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may keep; None where there is no limit."""

    episodes: int | None = None
    stored_bytes: int | None = None
    days: float | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A readable episode of the run, sealed or interrupted. held: why it must stay, "" if not."""

    row: Summary
    folder: Path
    stored_bytes: int
    held: str = ""


@dataclass(frozen=True, slots=True)
class Leaving:
    """An episode that goes, and the limit that it goes by."""

    kept: Kept
    why: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What goes and what stays. short: limits that are still exceeded, each with the reason."""

    leaving: tuple[Leaving, ...]
    staying: int
    staying_bytes: int
    short: tuple[str, ...]


def survey(folders: Folders, held: Callable[[Summary], str]) -> tuple[Kept, ...]:
    """All readable episodes of a run, oldest first."""
    found = []
    for parent in (folders.episodes, folders.interrupted):
        for name in ids_in(parent):
            try:
                record = read_record(parent / name)
            except DataError as error:
                log.warning("%s", error)
                continue
            size = sum(each.size for each in record.files.values())
            why = held(record.summary) if parent == folders.episodes else ""
            found.append(Kept(record.summary, parent / name, size, why))
    return tuple(sorted(found, key=lambda each: int(each.row.id)))


def choose(episodes: Sequence[Kept], limits: Limits, now: datetime.datetime) -> Choice:
    """Let the oldest go until every limit is met or nothing more may go."""
    count, size = len(episodes), sum(each.stored_bytes for each in episodes)
    leaving = []
    for each in episodes:
        why = _exceeded(each, limits, now, count, size)
        if why and not each.held:
            leaving.append(Leaving(each, why))
            count, size = count - 1, size - each.stored_bytes
    return Choice(tuple(leaving), count, size, tuple(_short(episodes, limits, count, size)))


def prune(folders: Folders, choice: Choice) -> None:
    """Remove what was chosen. For the run's one writer. Raises StorageError.

    Each is written down in pruned.jsonl, leaves in one atomic step and is removed after it; a
    death on the way leaves whole episodes only, and their ids are never given again.
    """
    make_folder(folders.staging)
    for each in choice.leaving:
        name, folder = each.kept.row.id, each.kept.folder
        _write_down(folders, each)
        out = folders.staging / f"{name}{PRUNED}"
        remove_folder(out)
        move_folder(folder, out)
        remove_folder(out)
    if choice.leaving:
        mend_manifest(folders)


def pruned_ids(folders: Folders) -> frozenset[str]:
    """Ids of all episodes that were ever pruned; torn lines are left out."""
    return frozenset(filter(is_id, map(_id_in, _lines(folders))))


def pruned_rows(folders: Folders) -> tuple[Summary, ...]:
    """What is known of all episodes that were ever pruned; torn lines are left out."""
    found = (row for row in map(_row_in, _lines(folders)) if row is not None)
    return tuple(row for row in found if is_id(row.id))


def _exceeded(each: Kept, limits: Limits, now: datetime.datetime, count: int, size: int) -> str:
    if limits.days is not None and _age_days(each.row, now) > limits.days:
        return f"older than {limits.days:g} days"
    if limits.episodes is not None and count > limits.episodes:
        return f"more than {limits.episodes} episodes"
    if limits.stored_bytes is not None and size > limits.stored_bytes:
        return f"more than {limits.stored_bytes / 2**30:g} GiB"
    return ""


def _short(episodes: Sequence[Kept], limits: Limits, count: int, size: int) -> Iterator[str]:
    held = sorted({each.held for each in episodes if each.held})
    because = f"; {sum(bool(each.held) for each in episodes)} must stay: {', '.join(held)}"
    if limits.episodes is not None and count > limits.episodes:
        yield f"{count} episodes stay, the limit is {limits.episodes}{because if held else ''}"
    if limits.stored_bytes is not None and size > limits.stored_bytes:
        stays, limit = size / 2**30, limits.stored_bytes / 2**30
        yield f"{stays:.2f} GiB stay, the limit is {limit:g} GiB{because if held else ''}"


def _age_days(row: Summary, now: datetime.datetime) -> float:
    """How long ago it began; 0 where nobody knows."""
    try:
        began = datetime.datetime.fromisoformat(row.began)
    except ValueError:
        return 0.0
    if began.tzinfo is None:
        began = began.replace(tzinfo=datetime.UTC)
    return (now - began).total_seconds() / 86400


def _write_down(folders: Folders, each: Leaving) -> None:
    when = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    line = json.dumps({"when": when, "why": each.why, "summary": each.kept.row.to_json()}) + "\n"
    with storage_errors(folders.pruned, "writing"):
        descriptor = os.open(folders.pruned, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            write_all(descriptor, line.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_folder(folders.run)  # the file may be new


def _lines(folders: Folders) -> list[str]:
    if not folders.pruned.is_file():
        return []
    with storage_errors(folders.pruned, "reading"):
        return folders.pruned.read_text("utf-8", "replace").splitlines()


def _id_in(line: str) -> str:
    try:
        return str(json.loads(line)["summary"]["id"])
    except (ValueError, KeyError, TypeError):
        return ""


def _row_in(line: str) -> Summary | None:
    try:
        return Summary.from_json(json.loads(line)["summary"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
