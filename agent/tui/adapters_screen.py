"""The family of adapters: a tree, one of them in full, and two side by side."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widget import Widget

from agent import logbook
from agent.errors import VlarlError
from agent.logbook import AdapterRow, AdaptersView, Comparison, RunView
from agent.tui import adapter_facts as facts
from agent.tui import theme
from agent.tui.figures import NONE, number
from agent.tui.following import WIDE, Following
from agent.tui.panel import Panel
from agent.tui.run_facts import heading, told
from agent.tui.table import Cell, Column, Table

View = tuple[RunView, AdaptersView]


class AdaptersScreen(Following[View]):
    """The tree; beside or below it the adapter under the cursor, or it against the marked one."""

    HERE = "adapters"
    CSS = """
    AdaptersScreen #page { layout: vertical; height: 1fr; }
    AdaptersScreen #tree { height: 1fr; }
    AdaptersScreen #about { height: 11; }
    AdaptersScreen.-wide #page { layout: horizontal; }
    AdaptersScreen.-wide #about { height: 1fr; width: 2fr; }
    AdaptersScreen.-wide #tree { width: 3fr; }
    """
    HORIZONTAL_BREAKPOINTS = WIDE
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "mark", "mark", tooltip="mark the adapter to compare others with"),
        Binding("c", "compare", "compare", tooltip="compare with the marked one, else its parent"),
    ]

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.marked = ""
        self.against: tuple[str, str] | None = None

    def parts(self) -> Iterable[Widget]:
        """Tree and panel."""
        tree = Table[AdapterRow](
            self._columns(), lambda row: row.name, empty="  no adapter yet", id="tree"
        )
        yield Container(tree, Panel("adapter", id="about"), id="page")

    def on_mount(self) -> None:
        """Begin with the tree."""
        super().on_mount()
        self.query_one(Table).focus()

    def load(self) -> View:
        """Run and adapters."""
        return logbook.run(self.folder), logbook.adapters(self.folder)

    def heading(self, view: View) -> tuple[str, list[str], tuple[str, str]]:
        """Of the run."""
        return heading(view[0])

    def show_view(self, view: View) -> None:
        """Fill the tree; at first it stands at the adapter that acts."""
        table: Table[AdapterRow] = self.query_one(Table)
        first = not table.rows
        table.show(view[1].rows)
        if first:
            table.find(view[1].acting)
        self._about()

    def on_table_moved(self, _: Table.Moved) -> None:
        """Show the adapter in full."""
        self.against = None
        self._about()

    def action_mark(self) -> None:
        """Mark the adapter under the cursor, or take its mark away."""
        row: AdapterRow | None = self.query_one(Table).row
        if row is not None:
            self.marked = "" if self.marked == row.name else row.name
            self.query_one(Table).refresh()

    def action_compare(self) -> None:
        """Hold the adapter against the marked one, else against its parent."""
        row: AdapterRow | None = self.query_one(Table).row
        first = "" if row is None else self.marked or row.parent
        if row is None or not first or first == row.name:
            self.notify("mark another adapter with m first", severity="warning")
            return
        self.against = (first, row.name)
        self.query_one("#about", Panel).show(lambda *_: [[("comparing the weights", theme.QUIET)]])
        names = self.against

        def read() -> None:
            try:
                found: Comparison | VlarlError = logbook.compare(self.folder, *names)
            except VlarlError as error:
                found = error
            self.app.call_from_thread(self._compared, names, found)

        self.run_worker(read, thread=True, name="compare")

    def _compared(self, names: tuple[str, str], found: Comparison | VlarlError) -> None:
        if names != self.against or not self.is_attached:
            return
        panel = self.query_one("#about", Panel)
        if isinstance(found, VlarlError):
            said = str(found)
            panel.show(lambda *_: [[("! ", theme.BAD), (said, theme.PLAIN)]])
            return
        panel.title = f"{names[0]} against {names[1]}"
        panel.show(lambda w, _: facts.comparison(found, w))

    def _about(self) -> None:
        row: AdapterRow | None = self.query_one(Table).row
        if row is None or self.against is not None or self.view is None:
            return
        panel, damage = self.query_one("#about", Panel), self.view[1].damage
        panel.title = f"adapter {row.name}"
        panel.show(lambda w, h: facts.about(row, damage, w, h))

    def _columns(self) -> tuple[Column[AdapterRow], ...]:
        return (
            Column("adapter", 24, self._branch, grow=48),
            Column("state", 13, _state),
            Column("acted in", 22, lambda r: (told(r.acted), theme.PLAIN)),
            Column("KL", 6, _kl, right=True),
            Column("made of", 7, _made_of, right=True, rank=2),
            Column("held-out", 22, _held_out, rank=3),
        )

    def _branch(self, row: AdapterRow) -> Cell:
        tree = "│ " * min(row.depth - 1, 7) + "└ " if row.depth else ""
        if row.depth > 8:
            # A long line of descent would leave no room for the names.
            tree = f"{row.depth:>3} deep └ "
        mark = " ◆" if row.name == self.marked else ""
        return f"{tree}{row.name}{mark}", theme.STRONG if row.state == "acting" else theme.PLAIN


def _state(row: AdapterRow) -> Cell:
    if row.gone:
        return "! gone", theme.BAD
    marks = {"acting": ("● acting", theme.GOOD), "promoted": ("✓ promoted", theme.PLAIN)}
    if row.state in marks:
        return marks[row.state]
    mark, style = theme.symbol(row.state)
    return f"{mark} {row.state}", style


def _kl(row: AdapterRow) -> Cell:
    return number(row.metrics.get("update/kl_reference"), 3), theme.PLAIN


def _made_of(row: AdapterRow) -> Cell:
    return (str(len(row.episodes)) if row.update else NONE), theme.QUIET


def _held_out(row: AdapterRow) -> Cell:
    return (told(row.evaluations[-1].rate) if row.evaluations else NONE), theme.PLAIN
