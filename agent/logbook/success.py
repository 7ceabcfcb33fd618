"""Success over episodes: in a moving window, by adapter, and on held-out states."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.interval import Paired, paired
from agent.logbook.damage import Damages
from agent.logbook.episodes_view import EpisodeRow
from agent.logbook.rate import Rate
from agent.logbook.updates import stamp

WINDOW = 24  # episodes in the moving success rate


@dataclass(frozen=True, slots=True)
class Point:
    """One sealed episode on the curve. won: None where the judge could not tell.

    rate: of the last `WINDOW` episodes up to this one.
    """

    id: str
    adapter: str
    won: bool | None
    rate: Rate


@dataclass(frozen=True, slots=True)
class AdapterSuccess:
    """How the episodes of one adapter came out; first and last: their ids."""

    adapter: str
    rate: Rate
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One greedy attempt at one start state."""

    task: str
    start: int
    success: bool
    control_steps: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One adapter's attempts. phase: "before" or "after". when: UTC, ISO 8601, of its file."""

    phase: str
    adapter: str
    rate: Rate
    attempts: tuple[Attempt, ...]
    when: str


def curve(rows: Sequence[EpisodeRow]) -> tuple[Point, ...]:
    """A point a sealed episode, oldest first."""
    sealed = [row for row in rows if row.status == "sealed" and row.summary is not None]
    outcomes = [row.won for row in sealed]
    points = []
    for index, row in enumerate(sealed):
        recent = Rate.of(outcomes[max(0, index + 1 - WINDOW) : index + 1])
        adapter = "" if row.summary is None else row.summary.adapter
        points.append(Point(row.id, adapter, row.won, recent))
    return tuple(points)


def by_adapter(points: Sequence[Point]) -> tuple[AdapterSuccess, ...]:
    """Success of each adapter, in the order in which they first acted."""
    found: dict[str, list[Point]] = {}
    for point in points:
        found.setdefault(point.adapter, []).append(point)
    return tuple(
        AdapterSuccess(name, Rate.of(p.won for p in its), its[0].id, its[-1].id)
        for name, its in found.items()
    )


def evaluations(folder: Path, damages: Damages) -> tuple[Evaluation, ...]:
    """All evaluations that can be read: those before first, then by adapter."""
    place = folder / "evaluations"
    names = sorted(
        place.glob("*-*.json"), key=lambda path: (not path.name.startswith("before"), path.name)
    )
    found = (damages.read(path, _evaluation) for path in names)
    return tuple(each for each in found if each is not None)


def compared(first: Evaluation, second: Evaluation) -> Paired:
    """Two evaluations on the start states that both tried."""
    known = {(a.task, a.start): a.success for a in first.attempts}
    both = [a for a in second.attempts if (a.task, a.start) in known]
    return paired([known[a.task, a.start] for a in both], [a.success for a in both])


def _evaluation(path: Path) -> Evaluation:
    phase, _, adapter = path.stem.partition("-")
    attempts = tuple(_attempt(row) for row in json.loads(path.read_text("utf-8")))
    rate = Rate.of(attempt.success for attempt in attempts)
    return Evaluation(phase, adapter, rate, attempts, stamp(path))


def _attempt(row: dict[str, Any]) -> Attempt:
    return Attempt(
        str(row["task"]), int(row["start"]), bool(row["success"]), int(row["control_steps"])
    )
