"""A titled part of a screen: a quiet line on top, and text below it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import wrap

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from agent.tui import theme
from agent.tui.figures import cut

MOST_LINES = 200  # of a panel that is as high as its text
Part = tuple[str, str]
Line = Sequence[Part]
Lines = Callable[[int, int], Sequence[Line | Content]]


class Panel(Widget):
    """A title with a thin line, then whatever `show` was given, drawn for the size there is."""

    DEFAULT_CSS = """
    Panel { width: 1fr; height: 1fr; text-wrap: nowrap; text-overflow: clip; padding: 0 1; }
    """

    def __init__(self, title: str, *, id: str | None = None) -> None:  # noqa: A002  Textual's own
        super().__init__(id=id)
        self.title, self.aside = title, ""
        self._lines: Lines = _nothing

    def show(self, lines: Lines, aside: str = "") -> None:
        """Draw with this function of width and height from now on; aside stands at the right."""
        self._lines, self.aside = lines, aside
        self.refresh(layout=self.styles.is_auto_height)

    def draw(self, width: int, height: int) -> list[Content]:
        """Title and text for a size."""
        head = cut(self.title, width)
        aside = cut(self.aside, max(0, width - len(head) - 4))
        rule = "─" * max(0, width - len(head) - len(aside) - (2 if aside else 1))
        told = Content.assemble(
            (head, theme.HEAD),
            " ",
            (rule, "$panel-lighten-2"),
            (f" {aside}" if aside else "", theme.QUIET),
        )
        below = self._lines(width, max(0, height - 1))
        drawn = (x if isinstance(x, Content) else Content.assemble(*x) for x in below)
        return [told, *drawn]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """As high as its text; asked only where the panel is not told its height."""
        return len(self.draw(width, MOST_LINES))

    def render(self) -> Content:
        """Title and text."""
        lines = self.draw(self.content_size.width, self.content_size.height)
        return Content("\n").join(lines)


def _nothing(_width: int, _height: int) -> Sequence[Line | Content]:
    return [[("reading the log", theme.QUIET)]]


def pairs(facts: Sequence[tuple[str, str | Part]], width: int) -> list[Line]:
    """Names at the left, values at the right of them, one a line."""
    margin = max((len(name) for name, _ in facts), default=0) + 2
    lines = list[Line]()
    for name, value in facts:
        text, style = (value, theme.PLAIN) if isinstance(value, str) else value
        lines.append([(name.ljust(margin), theme.QUIET), (cut(text, width - margin), style)])
    return lines


def wrapped(text: str, width: int) -> list[str]:
    """A text in lines of at most this width."""
    return wrap(" ".join(text.split()), max(width, 1)) or [""]
