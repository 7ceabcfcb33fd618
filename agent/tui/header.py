"""The two lines on top: which run this is and how it stands, and the screens there are."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.widget import Widget

from agent.tui import theme
from agent.tui.figures import cut

Part = tuple[str, str]


class Header(Widget):
    """Name and state of the run on one line, the screens with their keys on the next."""

    DEFAULT_CSS = """
    Header { height: 2; dock: top; background: $panel; text-wrap: nowrap; padding: 0 1; }
    """

    def __init__(self, tabs: dict[str, str], here: str) -> None:
        super().__init__()
        self._tabs, self._here = tabs, here
        self._called, self._facts, self._state = "vlarl-agent", list[str](), ("", "")

    def show(self, name: str, facts: list[str], state: Part) -> None:
        """Tell the run's name, what is worth knowing of it, and its state with a symbol."""
        if (name, facts, state) != (self._called, self._facts, self._state):
            self._called, self._facts, self._state = name, facts, state
            self.refresh()

    def render(self) -> Content:
        """Both lines."""
        width = self.size.width
        state, style = self._state
        room = width - len(state) - 1
        name = cut(self._called, max(room, 8))
        room -= len(name)
        told = ""
        for fact in self._facts:
            # A fact that does not fit is left out whole: half a name misleads.
            if len(told) + len(fact) + 2 <= room:
                told += f"  {fact}"
        line = Content.assemble(
            (name, theme.HEAD),
            (told.ljust(max(room, 0)), theme.PLAIN),
            " ",
            (state, style),
        )
        return Content("\n").join([line, Content.assemble(*self._tab_parts(width))])

    def on_click(self, event: events.Click) -> None:
        """Go to the screen whose name was clicked."""
        if event.y != 1:
            return
        right = 1  # the padding
        for tab, key in self._tabs.items():
            right += len(self._tab(tab, key))
            if event.x < right:
                self.app.simulate_key(key)
                return

    def _tab_parts(self, width: int) -> list[Part]:
        parts = list[Part]()
        for tab, key in self._tabs.items():
            here = tab == self._here
            parts.append((self._tab(tab, key), "bold reverse $primary" if here else theme.QUIET))
        used = sum(len(text) for text, _ in parts)
        parts.append((" " * max(0, width - used), ""))
        return parts

    def _tab(self, tab: str, key: str) -> str:
        # Brackets show where one stands when there is no colour.
        return f"[{key} {tab}]" if tab == self._here else f" {key} {tab} "
