"""What happened in an episode, one quantity a track, all over the same decisions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from agent.tui import theme
from agent.tui.figures import LEVELS, cut
from agent.tui.plot import Curve, curve_cells, joined

Floats = NDArray[np.float64]
NAME, FIGURE = 12, 14  # cells at the left and right of a track
TALLEST = 6  # lines of one track


@dataclass(frozen=True, slots=True)
class Track:
    """One quantity over the decisions of an episode.

    values: one a decision, NaN where unknown. low, high: its range; None takes it from the values.
    told: what the figure at the right says for a decision. letters: instead of values, a character
    a decision, for what is counted rather than measured.
    """

    name: str
    values: Floats
    told: Callable[[int], str]
    low: float | None = None
    high: float | None = None
    letters: str = ""
    style: str = theme.LINE

    def bounds(self) -> tuple[float, float]:
        """The range to draw."""
        known = self.values[np.isfinite(self.values)]
        low = self.low if self.low is not None else float(known.min(initial=0.0))
        high = self.high if self.high is not None else float(known.max(initial=0.0))
        return (low, high) if high > low else (low, low + 1.0)


class Tracks(Widget):
    """Tracks above each other, with a cursor through all of them."""

    DEFAULT_CSS = (
        "Tracks { height: 1fr; width: 1fr; text-wrap: nowrap; text-overflow: clip; padding: 0 1; }"
    )

    class Pointed(Message):
        """A decision was clicked."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self._tracks: Sequence[Track] = ()
        self._count, self._cursor = 0, 0
        self._drawn: dict[tuple[int, int, int], list[list[tuple[str, str]]]] = {}

    def show(self, tracks: Sequence[Track], count: int) -> None:
        """Take the tracks of an episode of so many decisions."""
        self._tracks, self._count, self._drawn = tracks, count, {}
        self.refresh()

    def point(self, index: int) -> None:
        """Bring the cursor to a decision."""
        self._cursor = index
        self.refresh()

    def render(self) -> Content:
        """All tracks there is room for, each at least one line."""
        width, height = self.content_size
        across = max(4, width - NAME - FIGURE - 2)
        tall, lines = self._heights(height), list[Content]()
        for number, (track, rows) in enumerate(zip(self._tracks, tall, strict=False)):
            cells = self._cells(number, across, rows)
            figure = cut(track.told(self._cursor), FIGURE)
            for row, line in enumerate(cells):
                name = track.name if row == 0 else ""
                said, style = (figure, theme.STRONG) if row == 0 else ("", theme.QUIET)
                if row and row == len(cells) - 1:
                    said = "{:.2g} to {:.2g}".format(*track.bounds())
                lines.append(
                    Content.assemble(
                        (f"{name:<{NAME}} ", theme.QUIET),
                        *self._with_cursor(line, across),
                        (f" {said:>{FIGURE}}", style),
                    )
                )
        return Content("\n").join(lines)

    def on_click(self, event: events.Click) -> None:
        """Go to the decision that was clicked."""
        across = max(4, self.content_size.width - NAME - FIGURE - 2)
        column = event.x - 1 - NAME - 1
        if 0 <= column < across and self._count:
            self.post_message(self.Pointed(self._index(column, across)))

    def _heights(self, height: int) -> list[int]:
        """Lines a track: what is left over after one each goes to those that are curves."""
        shown = self._tracks[: max(height, 0)]
        tall = [1] * len(shown)
        curves = [number for number, track in enumerate(shown) if not track.letters]
        for left in range(max(0, height - len(shown))):
            number = curves[left % len(curves)] if curves else 0
            if curves and tall[number] < TALLEST:
                tall[number] += 1
        return tall

    def _cells(self, number: int, across: int, rows: int) -> list[list[tuple[str, str]]]:
        key = (number, across, rows)
        if key not in self._drawn:
            track = self._tracks[number]
            if track.letters:
                cells = [_letters(track, across)]
            elif rows == 1:
                cells = [_blocks(track, across)]
            else:
                low, high = track.bounds()
                curve = Curve(track.values, style=track.style)
                cells = curve_cells(curve, across, rows, low, high)
            self._drawn[key] = [joined(line) for line in cells]
        return self._drawn[key]

    def _with_cursor(self, line: list[tuple[str, str]], across: int) -> list[tuple[str, str]]:
        left = round(self._cursor * (across - 1) / max(self._count - 1, 1))
        marked = list[tuple[str, str]]()
        for text, style in line:
            if 0 <= left < len(text):
                under = text[left]
                mark = ("│", theme.MARK) if under == " " else (under, "bold reverse $accent")
                marked += [(text[:left], style), mark, (text[left + 1 :], style)]
            else:
                marked.append((text, style))
            left -= len(text)
        return marked

    def _index(self, column: int, across: int) -> int:
        return round(column * max(self._count - 1, 1) / max(across - 1, 1))


def _spread(count: int, across: int) -> list[tuple[int, int]]:
    """First and last decision that falls into each cell; few decisions fill several cells each."""
    edges = np.arange(across) * (count - 1) / max(across - 1, 1) if count > 1 else np.zeros(across)
    half = (count - 1) / max(across - 1, 1) / 2
    firsts = np.ceil(edges - half).astype(int)
    lasts = np.floor(edges + half).astype(int)
    near = np.rint(edges).astype(int)
    return [
        (int(max(first, 0)), int(min(last, count - 1))) if first <= last else (int(mid), int(mid))
        for first, last, mid in zip(firsts, lasts, near, strict=True)
    ]


def _blocks(track: Track, across: int) -> list[tuple[str, str]]:
    low, high = track.bounds()
    cells = list[tuple[str, str]]()
    for first, last in _spread(track.values.size, across):
        some = track.values[first : last + 1]
        some = some[np.isfinite(some)]
        if not some.size:
            cells.append((" ", ""))
            continue
        value = float(some[np.argmax(np.abs(some))])
        level = round((value - low) / (high - low) * (len(LEVELS) - 1))
        style = theme.BAD if value < 0 < high else track.style
        cells.append((LEVELS[max(0, min(level, len(LEVELS) - 1))], style))
    return cells


def _letters(track: Track, across: int) -> list[tuple[str, str]]:
    cells = list[tuple[str, str]]()
    for first, last in _spread(len(track.letters), across):
        some = track.letters[first : last + 1].replace("·", "")
        cells.append((some[0], track.style) if some else ("·", "$panel-lighten-2"))
    return cells
