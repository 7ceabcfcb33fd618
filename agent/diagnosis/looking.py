"""From a run folder to its diagnosis, or to a reference for others."""

from __future__ import annotations

import json
from pathlib import Path

from agent.diagnosis import reference
from agent.diagnosis.evidence import Evidence, gather
from agent.diagnosis.ladder import Diagnosis, diagnose
from agent.diagnosis.measuring import measure
from agent.diagnosis.picture import overlay, write
from agent.errors import DataError
from agent.policy.action_tokens import ActionStats, read_stats
from agent.store.reader import ZarrReader
from agent.store.run import Run, open_run

NEWEST = 96  # episodes that are looked at


def look(folder: Path, against: Path | None, shipped: Path) -> Diagnosis:
    """Diagnose a run. against: a reference, else the one beside the run's checkpoint.

    Raises UsageError for no run or no reference, DataError for too few episodes, damage, or a run
    of another robot.
    """
    known = _known(open_run(folder), against, shipped)
    seen = _seen(folder)
    return diagnose(measure(seen, known), known, seen.episodes)


def pictures(folder: Path, against: Path | None, shipped: Path, out: Path) -> tuple[Path, ...]:
    """Draw every camera's start views over the reference's. Raises as `look`, and StorageError."""
    known = _known(open_run(folder), against, shipped)
    seen = _seen(folder)
    return tuple(
        write(out, name, overlay(sight, seen.sights[name])) for name, sight in known.sights.items()
    )


def take(folder: Path, out: Path, shipped: Path) -> reference.Reference:
    """Make a reference of a healthy run, beside the statistics its policy acted with."""
    run = open_run(folder)
    made = f"{folder.name}, seed {run.settings['run']['seed']}"
    stats = _stats(_checkpoint(run, shipped))
    known = reference.make(_seen(folder), str(run.settings["robot"]["name"]), made, stats)
    reference.save(out, known)
    return known


def _known(run: Run, against: Path | None, shipped: Path) -> reference.Reference:
    return reference.load(against or _checkpoint(run, shipped) / reference.FILE)


def _seen(folder: Path) -> Evidence:
    reader = ZarrReader(folder)
    return gather(reader.read(name) for name in reader.ids()[-NEWEST:])


def _checkpoint(run: Run, shipped: Path) -> Path:
    named = str(run.settings["policy"]["checkpoint"])
    return Path(named) if named else shipped


def _stats(checkpoint: Path) -> ActionStats:
    path = checkpoint / "dataset_statistics.json"
    try:
        return read_stats(json.loads(path.read_text("utf-8")), "")
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}; give the checkpoint's own") from error
