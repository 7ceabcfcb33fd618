"""Is it getting better: one run at a glance."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from textual.containers import Container, VerticalScroll
from textual.widget import Widget

from agent import logbook
from agent.logbook import RunView
from agent.tui import run_facts as facts
from agent.tui.following import WIDE, Following
from agent.tui.panel import Line, Panel


class RunScreen(Following[RunView]):
    """The curve and the updates; beside or below them what a person asks next."""

    HERE = "run"
    CSS = """
    RunScreen #page { layout: vertical; }
    RunScreen .column { height: auto; }
    RunScreen #page Panel { height: auto; margin-bottom: 1; }
    RunScreen #page #success { height: 11; margin-bottom: 0; }
    RunScreen.-wide #page { layout: horizontal; }
    RunScreen.-wide .column { height: 1fr; width: 1fr; }
    RunScreen.-wide #left { width: 3fr; }
    RunScreen.-wide #right { width: 2fr; }
    RunScreen.-wide #page #success { height: 1fr; margin-bottom: 1; }
    """
    HORIZONTAL_BREAKPOINTS = WIDE

    def parts(self) -> Iterable[Widget]:
        """Two columns, or one below the other."""
        left = Container(
            Panel("success over episodes", id="success"),
            Panel("updates, newest first", id="updates"),
            id="left",
            classes="column",
        )
        right = Container(
            *[
                Panel(title, id=name)
                for name, title in (
                    ("now", "now"),
                    ("held-out", "held-out start states, greedy"),
                    ("by-adapter", "success by adapter"),
                    ("curriculum", "curriculum: most wanted start states"),
                    ("safety", "safety"),
                    ("judge", "judge"),
                    ("spent", "disk and time"),
                    ("damage", "cannot be read"),
                )
            ],
            id="right",
            classes="column",
        )
        yield VerticalScroll(left, right, id="page")

    def on_mount(self) -> None:
        """Begin where the arrow keys turn the page."""
        super().on_mount()
        self.query_one("#page").focus()

    def load(self) -> RunView:
        """The run."""
        return logbook.run(self.folder)

    def heading(self, view: RunView) -> tuple[str, list[str], tuple[str, str]]:
        """Of the run."""
        return facts.heading(view)

    def show_view(self, view: RunView) -> None:
        """Draw every panel."""
        most = 24 if self.has_class("-wide") else 8
        recent = f"last {min(view.window, view.episodes)}: {facts.told(view.recent)}"
        kept = sum(row.outcome == "kept" for row in view.updates)
        said = f"{kept} of {len(view.updates)} kept"
        self._panel("success").show(partial(facts.success, view), recent)
        self._panel("updates").show(lambda w, h: facts.updates(view, w, min(h - 1, most)), said)
        self._panel("by-adapter").show(lambda w, _: facts.by_adapter(view, w, most // 2))
        self._panel("curriculum").show(lambda w, _: facts.curriculum(view, w, most // 2))
        for name, lines in SIMPLE.items():
            self._panel(name).show(partial(_without_height, lines, view))
        self._panel("damage").display = bool(view.damage)

    def _panel(self, name: str) -> Panel:
        return self.query_one(f"#{name}", Panel)


SIMPLE: dict[str, Callable[[RunView, int], list[Line]]] = {
    "now": facts.now,
    "held-out": facts.held_out,
    "safety": facts.safety,
    "judge": facts.judge,
    "spent": facts.spent,
    "damage": facts.damage,
}


def _without_height(
    lines: Callable[[RunView, int], list[Line]], view: RunView, width: int, _height: int
) -> list[Line]:
    return lines(view, width)
