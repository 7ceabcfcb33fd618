"""What happened when: every event of a run, with the one under the cursor in full."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget

from agent import logbook
from agent.logbook import LogEvent, LogView, RunView
from agent.tui import theme
from agent.tui.figures import moment
from agent.tui.following import Following
from agent.tui.panel import Line, Panel, wrapped
from agent.tui.run_facts import heading
from agent.tui.table import Cell, Column, Table

View = tuple[RunView, LogView]
KINDS: dict[str, Cell] = {
    "begun": ("▸", theme.PLAIN),
    "episode": ("·", theme.QUIET),
    "interrupted": ("‖", theme.CARE),
    "fault": ("!", theme.BAD),
    "update": ("▲", theme.GOOD),
    "discarded": ("✗", theme.BAD),
    "rolled back": ("↶", theme.CARE),
    "evaluation": ("◆", theme.LINE),
    "label": ("✎", theme.MARK),
    "damage": ("!", theme.BAD),
    "finished": ("■", theme.PLAIN),
}


class EventsScreen(Following[View]):
    """A table of events, and below it the whole text of one."""

    HERE = "log"
    CSS = "EventsScreen Panel { height: 5; }"

    def parts(self) -> Iterable[Widget]:
        """Table and text."""
        yield Table[LogEvent](COLUMNS, _key, empty="  nothing has happened yet")
        yield Panel("event", id="event")

    def on_mount(self) -> None:
        """Begin with the table."""
        super().on_mount()
        self.query_one(Table).focus()

    def load(self) -> View:
        """Run and events."""
        return logbook.run(self.folder), logbook.events(self.folder)

    def heading(self, view: View) -> tuple[str, list[str], tuple[str, str]]:
        """Of the run."""
        return heading(view[0])

    def show_view(self, view: View) -> None:
        """Fill the table; at first it stands at the newest event."""
        table: Table[LogEvent] = self.query_one(Table)
        first = not table.rows
        table.show(view[1].events)
        if first:
            table.action_end(last=True)

    def on_table_moved(self, event: Table.Moved) -> None:
        """Show the event in full."""
        row: LogEvent = event.row
        self.query_one(Panel).show(lambda width, _: _whole(row, width), row.kind)

    def on_table_chosen(self, event: Table.Chosen) -> None:
        """Open the episode that the event is about, or the adapters."""
        row: LogEvent = event.row
        if row.kind in {"episode", "interrupted", "fault", "label"} and row.subject.isdigit():
            self.log_app.open_episode(row.subject)
        elif row.kind in {"update", "discarded", "rolled back", "evaluation"}:
            self.log_app.action_go("adapters")


def _whole(row: LogEvent, width: int) -> list[Line]:
    lines: list[Line] = [[(f"{moment(row.when) or 'time unknown'}  {row.subject}", theme.STRONG)]]
    return lines + [[(text, theme.PLAIN)] for text in wrapped(row.text, width)]


def _key(row: LogEvent) -> str:
    return f"{row.when} {row.kind} {row.subject} {row.text}"


def _mark(row: LogEvent) -> Cell:
    return KINDS.get(row.kind, ("·", theme.QUIET))


COLUMNS: tuple[Column[LogEvent], ...] = (
    Column("time", 14, lambda r: (moment(r.when), theme.QUIET), lambda r: r.when or "9"),
    Column("", 1, _mark),
    Column("what", 11, lambda r: (r.kind, _mark(r)[1]), lambda r: r.kind),
    Column("of", 8, lambda r: (r.subject, theme.STRONG), lambda r: r.subject),
    Column("", 30, lambda r: (r.text, theme.PLAIN), grow=400),
)
