"""All runs in a folder, one row each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agent.durable import storage_errors
from agent.errors import UsageError
from agent.logbook.activity import Activity, activity
from agent.logbook.damage import Damage, Damages
from agent.logbook.episodes_view import rows
from agent.logbook.rate import Rate
from agent.logbook.run_view import Head, head, progress
from agent.logbook.success import WINDOW, evaluations
from agent.logbook.suspended import suspensions
from agent.logbook.updates import acting, updates
from agent.store.run import RUN
from agent.suspension import Suspended


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run in brief. recent: its last `WINDOW` episodes. before, after: on held-out states.

    suspended: the alarms that hold learning up now.
    """

    head: Head
    activity: Activity
    adapter: str
    episodes: int
    recent: Rate
    before: Rate | None
    after: Rate | None
    updates: int
    kept: int
    damage: tuple[Damage, ...]
    suspended: tuple[Suspended, ...] = ()


@dataclass(frozen=True, slots=True)
class RunsView:
    """All runs of a folder, the newest first. path: the folder."""

    path: str
    rows: tuple[RunRow, ...]


def runs(folder: Path) -> RunsView:
    """Every run below a folder, or the one that it is. Raises UsageError where it is no folder."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder; want a run or a folder of runs")
    with storage_errors(folder, "reading"):
        if (folder / RUN).exists():
            return RunsView(str(folder), (_row(folder),))
        below = [path for path in folder.iterdir() if _is_run(path)]
    found = sorted((_row(path) for path in below), key=lambda row: row.head.created, reverse=True)
    return RunsView(str(folder), tuple(found))


def _is_run(folder: Path) -> bool:
    try:
        return (folder / RUN).exists()
    except OSError:  # a stranger's folder among the runs, which may not be looked into
        return False


def _row(folder: Path) -> RunRow:
    damages = Damages(folder)
    top = head(folder, damages)
    history = updates(folder, damages)
    table = rows(folder, damages, history)
    scores = evaluations(folder, damages)
    before = [each.rate for each in scores if each.phase == "before"]
    after = [each.rate for each in scores if each.phase == "after"]
    halts = suspensions(folder, damages)
    won = [row.won for row in table if row.status == "sealed"]
    return RunRow(
        head=top,
        activity=activity(folder, top.settings, progress(top, table, history, halts)),
        adapter=acting(history),
        episodes=len(won),
        recent=Rate.of(won[-WINDOW:]),
        before=before[0] if before else None,
        after=after[-1] if after else None,
        updates=len(history),
        kept=sum(row.outcome == "kept" for row in history),
        damage=damages.found,
        suspended=halts.standing,
    )
