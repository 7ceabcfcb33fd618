"""The updates of a run, each read on its own, with what became of it and when."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from agent.logbook.damage import Damages, json_object
from agent.logbook.kept import kept

Outcome = Literal["kept", "discarded", "rolled back", "skipped"]


@dataclass(frozen=True, slots=True)
class UpdateRow:
    """One update. when: UTC, ISO 8601, of its file. episodes: ids it used up.

    outcome: "kept": its candidate acts from then on; "discarded": a candidate did not pass;
    "skipped": no candidate could be made; "rolled back": `adapter` acts again.
    """

    number: int
    adapter: str
    parent: str
    outcome: Outcome
    why: str
    episodes: tuple[str, ...]
    metrics: Mapping[str, float]
    when: str


def updates(folder: Path, damages: Damages) -> tuple[UpdateRow, ...]:
    """All updates that can be read, oldest first."""
    try:
        paths = sorted((folder / "updates").glob("[0-9]*.json"))
    except OSError as error:
        damages.add(folder / "updates", error)
        return ()
    rows = (damages.read(path, lambda each: kept(each, _row)) for path in paths)
    return tuple(row for row in rows if row is not None)


def acting(rows: tuple[UpdateRow, ...]) -> str:
    """The adapter that acts after these updates."""
    return next((r.adapter for r in reversed(rows) if r.outcome in {"kept", "rolled back"}), "base")


def used_by(rows: Sequence[UpdateRow]) -> Mapping[str, int]:
    """Which update used up each episode, by its id."""
    return {episode: row.number for row in rows for episode in row.episodes}


def stamp(path: Path) -> str:
    """When a file was written: UTC, ISO 8601. Raises OSError."""
    moment = datetime.datetime.fromtimestamp(path.stat().st_mtime, datetime.UTC)
    return moment.isoformat(timespec="milliseconds")


def _row(path: Path) -> UpdateRow:
    values = json_object(path)
    adapter, parent = values["adapter"], values["parent"]
    if not isinstance(adapter, str) or not isinstance(parent, str):
        raise TypeError(f"want names of adapters, found {adapter!r} and {parent!r}")
    metrics = {str(name): _number(value) for name, value in dict(values["metrics"]).items()}
    return UpdateRow(
        number=int(values["number"]),
        adapter=adapter,
        parent=parent,
        outcome=_outcome(values, made=bool(metrics)),
        why=str(values["why"]),
        episodes=tuple(str(each) for each in values["episodes"]),
        metrics=metrics,
        when=stamp(path),
    )


def _outcome(values: Mapping[str, Any], *, made: bool) -> Outcome:
    # Only an update that learned has metrics; one that is kept without any withdrew an adapter.
    if values["kept"]:
        return "kept" if made else "rolled back"
    return "discarded" if made else "skipped"


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
