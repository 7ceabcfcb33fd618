"""All runs of a folder: which are alive, and what came of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from textual.widget import Widget

from agent import logbook
from agent.logbook import Rate, RunRow, RunsView
from agent.tui import theme
from agent.tui.figures import NONE
from agent.tui.following import Following
from agent.tui.table import Cell, Column, Table


class RunsScreen(Following[RunsView]):
    """A table of runs; enter opens one."""

    HERE = "runs"

    def parts(self) -> Iterable[Widget]:
        """The table."""
        yield Table[RunRow](
            COLUMNS, lambda row: row.head.path, empty="  no run here; start one: vlarl-agent run"
        )

    def on_mount(self) -> None:
        """Begin with the table."""
        super().on_mount()
        self.query_one(Table).focus()

    def load(self) -> RunsView:
        """All runs."""
        return logbook.runs(self.folder)

    def heading(self, view: RunsView) -> tuple[str, list[str], tuple[str, str]]:
        """How many there are, and how many live."""
        live = sum(row.activity.live for row in view.rows)
        state = (
            (f"{theme.LIVE} {live} live", theme.GOOD)
            if live
            else (f"{theme.ENDED} none live", theme.QUIET)
        )
        count = f"{len(view.rows)} run{'' if len(view.rows) == 1 else 's'}"
        return f"{self.folder.resolve().name}/", [count], state

    def live(self) -> bool:
        """Runs change below the folder one looks at."""
        return True

    def show_view(self, view: RunsView) -> None:
        """Fill the table."""
        table: Table[RunRow] = self.query_one(Table)
        table.show(view.rows)

    def on_table_chosen(self, event: Table.Chosen) -> None:
        """Open the run."""
        self.log_app.open_run(Path(event.row.head.path))


def _mark(row: RunRow) -> Cell:
    if row.activity.live:
        return theme.LIVE, theme.GOOD
    return (theme.BROKEN, theme.BAD) if row.damage else (theme.ENDED, theme.QUIET)


def _phase(row: RunRow) -> Cell:
    if row.suspended:
        return f"! {row.activity.phase}", theme.CARE
    return row.activity.phase, theme.GOOD if row.activity.live else theme.QUIET


def _kept(row: RunRow) -> Cell:
    return f"{row.kept}/{row.updates}", theme.PLAIN


def _created(row: RunRow) -> Cell:
    return row.head.created[:19].replace("T", " "), theme.QUIET


def _rate(found: Rate | None) -> Cell:
    if found is None or not found.tried:
        return NONE, theme.QUIET
    low, high = 100 * found.low, 100 * found.high
    return f"{100 * found.share:.0f} % [{low:.0f}, {high:.0f}]", theme.PLAIN


def _share(found: Rate | None) -> float:
    return -1.0 if found is None or not found.tried else found.share


def _word(title: str, width: int, of: Callable[[RunRow], str], rank: int = 0) -> Column[RunRow]:
    return Column(title, width, lambda row: (of(row), theme.PLAIN), of, rank=rank)


COLUMNS: tuple[Column[RunRow], ...] = (
    Column("", 1, _mark, lambda row: not row.activity.live),
    Column("run", 25, lambda r: (r.head.name, theme.PLAIN), lambda r: r.head.name, grow=44),
    Column("doing", 14, _phase, lambda r: r.activity.phase, rank=1),
    Column(
        "episodes",
        8,
        lambda r: (str(r.episodes), theme.PLAIN),
        lambda r: r.episodes,
        right=True,
    ),
    Column("recent success", 14, lambda r: _rate(r.recent), lambda r: _share(r.recent)),
    Column("kept", 5, _kept, lambda r: r.kept, right=True, rank=2),
    _word("adapter", 7, lambda r: r.adapter, rank=3),
    Column("held-out before", 15, lambda r: _rate(r.before), lambda r: _share(r.before), rank=5),
    Column("after", 15, lambda r: _rate(r.after), lambda r: _share(r.after), rank=5),
    _word("task", 16, lambda r: r.head.task, rank=6),
    _word("robot", 10, lambda r: r.head.robot, rank=7),
    Column("created (UTC)", 19, _created, lambda r: r.head.created, rank=8),
)
