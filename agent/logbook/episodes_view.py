"""All episodes of a run in rows: sealed, broken off, set aside, and the one that is running."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.logbook.damage import Damage, Damages
from agent.logbook.kept import kept
from agent.logbook.labels import Said, labels, standing
from agent.logbook.updates import UpdateRow, updates, used_by
from agent.store.folders import LOG, Folders
from agent.store.manifest import read_manifest
from agent.store.names import by_age, ids_in
from agent.store.prune import pruned_ids
from agent.store.record import read_record
from agent.store.steplog import read_log
from agent.store.summary import Summary

Status = Literal["sealed", "interrupted", "quarantined", "running"]


@dataclass(frozen=True, slots=True)
class EpisodeRow:
    """One episode in brief.

    summary: None where nothing of it can be read. label: "success", "failure" or "" as a person
    typed it. notes: typed, oldest first. used_by: number of the update that used it up, if any.
    """

    id: str
    status: Status
    summary: Summary | None
    label: str = ""
    notes: tuple[str, ...] = ()
    used_by: int | None = None

    @property
    def won(self) -> bool | None:
        """Whether the judge saw success; None where it could not tell or was not asked."""
        verdict = "" if self.summary is None else self.summary.verdict
        return {"success": True, "failure": False}.get(verdict)


@dataclass(frozen=True, slots=True)
class EpisodesView:
    """All episodes, oldest first."""

    rows: tuple[EpisodeRow, ...]
    damage: tuple[Damage, ...]


def episodes(folder: Path) -> EpisodesView:
    """Every episode of a run, as far as it can be read."""
    damages = Damages(folder)
    return EpisodesView(rows(folder, damages), damages.found)


def rows(
    folder: Path, damages: Damages, history: Sequence[UpdateRow] | None = None
) -> tuple[EpisodeRow, ...]:
    """The rows alone. history: the updates, where they were read already."""
    folders = Folders(folder)
    said = standing(labels(folder, damages))
    used = used_by(updates(folder, damages) if history is None else history)
    found: dict[str, EpisodeRow] = {}

    def put(name: str, status: Status, summary: Summary | None) -> None:
        words = said.get(name, Said())
        found[name] = EpisodeRow(name, status, summary, words.outcome, words.notes, used.get(name))

    # First, so that an episode that is sealed meanwhile is found among the sealed ones.
    for name in damages.read(folders.staging, ids_in) or ():
        put(name, "running", _running(folders.staging / name))
    listed = damages.read(folders.manifest, lambda path: kept(path, _listed)) or {}
    sealed = damages.read(folders.episodes, ids_in)
    for name in sealed or ():
        put(name, "sealed", listed.get(name) or _recorded(folders.episodes / name, damages))
    apart: dict[Status, Path] = {
        "interrupted": folders.interrupted,
        "quarantined": folders.quarantine,
    }
    for status, parent in apart.items():
        for name in damages.read(parent, ids_in) or ():
            put(name, status, _recorded(parent / name, damages))
    if sealed is not None:
        _note_lost(folders, listed.keys() - found.keys(), damages)
    return tuple(found[name] for name in by_age(found))


def _note_lost(folders: Folders, gone: Set[str], damages: Damages) -> None:
    """Name the episodes that are listed and not there, but for those that were let go."""
    pruned = damages.read(folders.pruned, lambda _: pruned_ids(folders)) if gone else None
    for name in sorted(gone - (pruned or frozenset())):
        damages.add(folders.episodes / name, "in the manifest, but its folder is gone")


def _listed(manifest: Path) -> Mapping[str, Summary]:
    return read_manifest(Folders(manifest.parent))


def row_of(folder: Path, name: str, status: Status, damages: Damages) -> EpisodeRow:
    """The row of one episode, without reading the others."""
    folders = Folders(folder)
    parents = {
        "sealed": folders.episodes,
        "interrupted": folders.interrupted,
        "quarantined": folders.quarantine,
    }
    if status == "running":
        summary = _running(folders.staging / name)
    else:
        summary = _recorded(parents[status] / name, damages)
    words = standing(labels(folder, damages)).get(name, Said())
    used = used_by(updates(folder, damages)).get(name)
    return EpisodeRow(name, status, summary, words.outcome, words.notes, used)


def _recorded(folder: Path, damages: Damages) -> Summary | None:
    record = damages.read(folder, read_record)
    return None if record is None else record.summary


def _running(folder: Path) -> Summary | None:
    """What the log of a running episode tells so far; None where it tells nothing yet."""
    try:
        logged = read_log(folder / LOG)
        begin, task = logged.begin, logged.begin["task"]
        return Summary(
            id=folder.name,
            task=task["name"],
            instruction=task["instruction"],
            start=task["start"],
            seed=task["seed"],
            adapter=begin["adapter"],
            temperature=begin["temperature"],
            use=str(begin["extra"].get("use", "")),
            decisions=len(logged.steps),
            control_steps=0,
            ending="running",
            verdict="",
            success_probability=None,
            seconds=0.0,
            began=begin["began"],
        )
    except (OSError, KeyError, TypeError, json.JSONDecodeError):
        # The log is being written, or its folder has just been committed.
        return None
