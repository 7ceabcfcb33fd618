"""An export folder: one episode at a time, each file whole or absent, and taken up again.

    vlarl_export.json   what was asked for, and whether it is all there
    .parts/<id>.json    an episode's receipt, written after its last file; gone at the end

A receipt is the commit of an episode: what has none is written again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent import durable
from agent.errors import DataError, UsageError
from agent.export.part import Format, Part, Receipt
from agent.store.reader import ZarrReader
from agent.store.run import Run
from agent.store.schema import made_by
from agent.store.summary import Summary

log = logging.getLogger(__name__)

PLAN, PARTS = "vlarl_export.json", ".parts"


@dataclass(frozen=True, slots=True)
class Done:
    """What an export came to. damaged: episodes left out because they cannot be read."""

    out: str
    format: str
    episodes: int
    files: int
    damaged: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """What to export, to where. skip_damaged: leave out what cannot be read, and say so."""

    run: Run
    reader: ZarrReader
    rows: Sequence[Summary]
    out: Path
    skip_damaged: bool = False


def export(
    job: Job,
    form: Format,
    *,
    resume: bool = False,
    on_done: Callable[[int, int], None] = lambda _done, _total: None,
) -> Done:
    """Write the episodes, one in memory at a time; on_done is told how many of how many.

    Raises UsageError for a folder in use or another export, DataError for a damaged episode,
    StorageError for a disk that cannot keep it: what was written stays, to be resumed.
    """
    wanted = _plan(job, form)
    if _begin(job.out, wanted, resume=resume):
        return _summary(job, json.loads((job.out / PLAN).read_text("utf-8")))
    by_id = {row.id: row for row in job.rows}
    receipts: list[Receipt] = []
    damaged: list[str] = []
    for count, episode_id in enumerate(wanted["episodes"], 1):
        try:
            row = by_id[episode_id]
            receipts.append(_kept(job.out, episode_id) or _write(job, form, row, receipts))
        except DataError as error:
            if not job.skip_damaged:
                raise DataError(f"{error}; or leave out all such with --skip-damaged") from error
            log.warning("left out: %s", error)
            damaged.append(episode_id)
        on_done(count, len(wanted["episodes"]))
    if not receipts:
        raise DataError("none of the episodes can be read; nothing is exported")
    return _finish(job, form, wanted, receipts, damaged)


def _plan(job: Job, form: Format) -> dict[str, Any]:
    return {
        "format": form.name,
        "options": dict(form.options),
        "run": {"created": job.run.created, "seed": job.run.settings["run"]["seed"]},
        "episodes": [row.id for row in job.rows],
        "vlarl_version": made_by(),
    }


def _begin(out: Path, wanted: dict[str, Any], *, resume: bool) -> bool:
    """Take the folder; True where everything wanted is there already."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; choose a folder to export to")
    if _untouched(out):
        durable.make_folder(out / PARTS)
        _write_json(out / PLAN, {**wanted, "complete": False})
        return False
    if not resume:
        raise UsageError(f"{out} is not empty; choose another folder, or --resume an export there")
    found = _read_plan(out)
    _same(out, found, wanted)
    # A run that goes on has more episodes by now; what was begun is what is finished.
    wanted["episodes"] = found["episodes"]
    if found["complete"]:
        durable.remove_folder(out / PARTS)  # where a death came between these two
        return True
    durable.make_folder(out / PARTS)
    for torn in out.rglob("*.partial"):
        torn.unlink(missing_ok=True)
    return False


def _same(out: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for key in ("format", "options", "run", "vlarl_version"):
        if found.get(key) != wanted[key]:
            raise UsageError(
                f"{out} holds another export: its {key} is {found.get(key)!r}, wanted "
                f"{wanted[key]!r}; choose another folder"
            )
    if not set(found["episodes"]) <= set(wanted["episodes"]):
        raise UsageError(f"{out} was begun with other episodes; resume it with the same choice")


def _untouched(out: Path) -> bool:
    """Nothing there but what a death before the plan was written leaves."""
    ours = {PARTS, f"{PLAN}.partial"}
    return not out.is_dir() or all(entry.name in ours for entry in out.iterdir())


def _read_plan(out: Path) -> dict[str, Any]:
    try:
        found = json.loads((out / PLAN).read_text("utf-8"))
        if not isinstance(found["episodes"], list) or not isinstance(found["complete"], bool):
            raise TypeError("not a plan of ours")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{out} holds no export to resume ({PLAN}: {error}); choose another folder"
        ) from error
    return dict(found)


def _kept(out: Path, episode_id: str) -> Receipt | None:
    path = out / PARTS / f"{episode_id}.json"
    if not path.is_file():
        return None
    try:
        receipt = Receipt.from_json(json.loads(path.read_text("utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: torn or altered ({error}); delete it and resume") from error
    whole = all(
        (out / name).is_file() and (out / name).stat().st_size == found.size
        for name, found in receipt.files.items()
    )
    return receipt if whole else None


def _write(job: Job, form: Format, row: Summary, before: Sequence[Receipt]) -> Receipt:
    part: Part = form.part(job.reader.read(row.id), row, before)
    for name, data in part.files.items():
        _write_file(job.out / name, data)
    receipt = Receipt.of(row.id, part)
    _write_json(job.out / PARTS / f"{row.id}.json", receipt.to_json())
    return receipt


def _finish(
    job: Job, form: Format, wanted: dict[str, Any], receipts: list[Receipt], damaged: list[str]
) -> Done:
    closing = form.closing(receipts)
    for name, data in closing.items():
        _write_file(job.out / name, data)
    files = {name: found for each in receipts for name, found in each.to_json()["files"].items()}
    values = {
        **wanted,
        "complete": True,
        "damaged": damaged,
        "files": dict(sorted(files.items())),
        "closing": sorted(closing),
    }
    _write_json(job.out / PLAN, values)
    durable.remove_folder(job.out / PARTS)
    return _summary(job, values)


def _summary(job: Job, plan: Mapping[str, Any]) -> Done:
    damaged = tuple(plan["damaged"])
    count = len(plan["files"]) + len(plan["closing"])
    return Done(str(job.out), plan["format"], len(plan["episodes"]) - len(damaged), count, damaged)


def _write_file(path: Path, data: bytes) -> None:
    durable.make_folder(path.parent)
    durable.write_bytes(path, data)


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    durable.write_text(path, json.dumps(values, indent=1) + "\n")
