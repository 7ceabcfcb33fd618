"""What holds learning up: the alarms that nobody has lifted yet, and what they cast doubt on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from agent import suspension
from agent.logbook.damage import Damages
from agent.suspension import Suspensions


def suspensions(folder: Path, damages: Damages) -> Suspensions:
    """All alarms and lifts of a run, as far as they can be read."""
    found = damages.read(folder / suspension.FILE, lambda _: suspension.read(folder))
    return Suspensions() if found is None else found


def doubted(known: Suspensions, ids: Iterable[str]) -> int:
    """How many of these episodes no update will ever use."""
    return sum(map(known.doubts, ids)) if known.rows else 0
