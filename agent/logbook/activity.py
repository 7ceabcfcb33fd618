"""Whether a run is alive, and what it is doing: told by its lock's holder and by its files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from agent.logbook.updates import UpdateRow
from agent.store.folders import Folders

Phase = Literal[
    "scoring before", "acting", "learning", "scoring after", "idle", "finished", "stopped"
]


@dataclass(frozen=True, slots=True)
class Activity:
    """What a run is at now. pid: of its living writer, None without one. doing: in words."""

    live: bool
    pid: int | None
    phase: Phase
    doing: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. wanted: episodes it was told to act. running: id of the one being acted.

    doubted: unused episodes that were recorded under suspicion. suspended: learning waits.
    """

    sealed: int
    wanted: int
    running: str
    decisions: int
    updates: tuple[UpdateRow, ...]
    doubted: int = 0
    suspended: bool = False


def writer(folder: Path) -> int | None:
    """The living process that holds the writer's lock, None without one. Takes no lock itself."""
    path = Folders(folder).lock
    try:
        text = path.read_text("ascii", "replace").strip()
        holder = os.stat(path)  # noqa: PTH116  beside the stats of open files below
    except OSError:
        return None
    if not text.isdigit() or not Path(f"/proc/{text}").exists():
        return None
    try:
        handles = list(Path(f"/proc/{text}/fd").iterdir())
    except OSError:  # another user's process: that it lives is all that can be known
        return int(text)
    for handle in handles:
        try:
            if os.path.samestat(handle.stat(), holder):
                return int(text)
        except OSError:  # closed in the meantime
            continue
    return None


def activity(folder: Path, settings: Mapping[str, Any], progress: Progress) -> Activity:
    """What a run is doing now, from its files."""
    pid = writer(folder)
    if pid is None:
        if (folder / "outcome.json").is_file():
            return Activity(live=False, pid=None, phase="finished", doing="finished")
        done = f"{progress.sealed} of {progress.wanted} episodes" if progress.wanted else "unknown"
        return Activity(
            live=False, pid=None, phase="stopped", doing=f"stopped after {done}; it can be resumed"
        )
    phase, doing = _doing(folder, settings, progress)
    return Activity(live=True, pid=pid, phase=phase, doing=doing)


def _doing(folder: Path, settings: Mapping[str, Any], progress: Progress) -> tuple[Phase, str]:
    if progress.running:
        return "acting", f"acting episode {progress.running}, decision {progress.decisions + 1}"
    if any((folder / "adapters").glob("staging-*")) or _due(settings, progress):
        return "learning", f"learning: update {len(progress.updates) + 1}"
    if not progress.sealed and not any((folder / "evaluations").glob("before-*.json")):
        return "scoring before", "scoring the start adapter on held-out states"
    if progress.wanted and progress.sealed >= progress.wanted:
        if any((folder / "evaluations").glob("after-*.json")):
            return "idle", "finishing"
        return "scoring after", "scoring the result on held-out states"
    return "idle", "between episodes"


def _due(settings: Mapping[str, Any], progress: Progress) -> bool:
    """Whether enough unused episodes wait for an update; whether one is made is the session's."""
    run, learn = group(settings, "run"), group(settings, "learn")
    if progress.suspended or not run.get("update", True):
        return False
    used = sum(len(row.episodes) for row in progress.updates)
    every = whole(learn.get("every_episodes"))
    warm = progress.sealed >= whole(learn.get("warmup_episodes"))
    return bool(every) and warm and progress.sealed - used - progress.doubted >= every


def group(settings: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A table of settings; {} where the file was altered and it is none."""
    found = settings.get(name)
    return found if isinstance(found, dict) else {}


def whole(value: object) -> int:
    """A whole number; 0 for anything else."""
    return value if isinstance(value, int) else 0
