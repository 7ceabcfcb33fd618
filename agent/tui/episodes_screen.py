"""Every episode in a table: sorted, filtered, labelled, opened."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input, Static

from agent import logbook
from agent.logbook import EpisodeRow, EpisodesView, RunView
from agent.tui import labelling
from agent.tui.episode_columns import COLUMNS, text_of
from agent.tui.following import Following
from agent.tui.run_facts import heading
from agent.tui.table import Table

View = tuple[RunView, EpisodesView]


class EpisodesScreen(Following[View]):
    """The table, a line that filters it, and a line that counts what is seen."""

    HERE = "episodes"
    CSS = """
    EpisodesScreen Input { height: 1; border: none; padding: 0 1; background: $surface; }
    EpisodesScreen Input.-idle { display: none; }
    EpisodesScreen #count { height: 1; padding: 0 1; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", tooltip="filter: words that a row must all contain"),
        Binding("escape", "leave", "back", tooltip="drop the filter, else one step back"),
        *labelling.KEYS,
    ]

    def parts(self) -> Iterable[Widget]:
        """Filter, table, count."""
        yield Input(
            placeholder="words a row must contain, such as: failure adapter=0003",
            classes="-idle",
            compact=True,
        )
        yield Table[EpisodeRow](COLUMNS, lambda row: row.id, empty="  no episode yet")
        yield Static("", id="count")

    def on_mount(self) -> None:
        """Begin with the table."""
        super().on_mount()
        self.query_one(Table).focus()

    def load(self) -> View:
        """Run and episodes."""
        return logbook.run(self.folder), logbook.episodes(self.folder)

    def heading(self, view: View) -> tuple[str, list[str], tuple[str, str]]:
        """Of the run."""
        return heading(view[0])

    def show_view(self, view: View) -> None:
        """Fill the table with what passes the filter."""
        words = self.query_one(Input).value.lower().split()
        rows = [row for row in view[1].rows if all(word in text_of(row) for word in words)]
        table: Table[EpisodeRow] = self.query_one(Table)
        table.empty = "  no episode passes the filter" if words else "  no episode yet"
        table.show(rows)
        said = f"{len(rows)} of {len(view[1].rows)} episodes" if words else f"{len(rows)} episodes"
        if view[1].damage:
            first = view[1].damage[0]
            said += f"   ! {len(view[1].damage)} cannot be read: {first}"
        self.query_one("#count", Static).update(said)

    def action_filter(self) -> None:
        """Type a filter."""
        line = self.query_one(Input)
        line.remove_class("-idle")
        line.focus()

    def on_input_changed(self) -> None:
        """Filter as one types."""
        if self.view is not None:
            self.show_view(self.view)

    def on_input_submitted(self) -> None:
        """Back to the table; the filter stays."""
        self.query_one(Table).focus()

    async def action_leave(self) -> None:
        """Drop the filter, where there is one; else go one step back."""
        line = self.query_one(Input)
        if line.has_class("-idle"):
            await self.log_app.action_back()
            return
        line.value = ""
        line.add_class("-idle")
        self.query_one(Table).focus()

    def on_table_chosen(self, event: Table.Chosen) -> None:
        """Open the episode."""
        self.log_app.open_episode(event.row.id, [row.id for row in event.table.rows])

    def action_label(self, kind: str) -> None:
        """Label the episode under the cursor."""
        row = self.query_one(Table).row
        if row is not None:
            labelling.keep(self, self.folder, row.id, kind)

    def action_note(self) -> None:
        """Write a note on it."""
        row = self.query_one(Table).row
        if row is not None:
            labelling.ask(self, self.folder, row.id)
