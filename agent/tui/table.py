"""A table of any length that draws only the rows one sees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from agent.tui import theme
from agent.tui.figures import cut

Row = TypeVar("Row")
Cell = tuple[str, str]  # text and style


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column: its title, its cells in width characters, and what it is sorted by.

    rank: columns of the highest rank go first where there is no room. grow: how wide
    it may become where there is room.
    """

    title: str
    width: int
    cell: Callable[[Row], Cell]
    sort: Callable[[Row], Any] | None = None
    right: bool = False
    rank: int = 0
    grow: int = 0


class Table(Widget, Generic[Row], can_focus=True):
    """Rows one can walk through, sort, and choose with enter."""

    DEFAULT_CSS = "Table { height: 1fr; width: 1fr; text-wrap: nowrap; text-overflow: clip; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False, tooltip="the row above"),
        Binding("down,j", "move(1)", show=False, tooltip="the row below"),
        Binding("pageup", "page(-1)", show=False, tooltip="a page up"),
        Binding("pagedown", "page(1)", show=False, tooltip="a page down"),
        Binding("home,g", "end(False)", show=False, tooltip="the first row"),
        Binding("end,G", "end(True)", show=False, tooltip="the last row"),
        Binding("enter", "choose", show=False, tooltip="open what is under the cursor"),
        Binding(
            "o", "sort", show=False, tooltip="sort by the next column; after the last one, by age"
        ),
        Binding("O", "reverse", show=False, tooltip="turn the order round"),
    ]

    class Chosen(Message):
        """Enter was pressed, or a row clicked twice."""

        def __init__(self, table: Table[Any], row: Any) -> None:  # noqa: ANN401  of any kind
            super().__init__()
            self.table, self.row = table, row

        @property
        def control(self) -> Table[Any]:
            """The table it happened in."""
            return self.table

    class Moved(Chosen):
        """The cursor stands on another row."""

    def __init__(
        self,
        columns: Sequence[Column[Row]],
        key: Callable[[Row], str],
        *,
        empty: str = "nothing here",
        id: str | None = None,  # noqa: A002  Textual's own name
    ) -> None:
        super().__init__(id=id)
        self.columns, self.empty = tuple(columns), empty
        self.rows: list[Row] = []
        self.cursor = 0
        self.sorted_by: int | None = None
        self.backwards = False
        self._key, self._given, self._top = key, list[Row](), 0

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if self.rows else None

    def show(self, rows: Sequence[Row]) -> None:
        """Take these rows; the cursor stays on its row where that is still there."""
        at_end = bool(self.rows) and self.cursor == len(self.rows) - 1
        self._given = list(rows)
        self._arrange(follow=at_end and self.sorted_by is None)

    def find(self, key: str) -> bool:
        """Bring the cursor to a row; False where it is not there."""
        for index, row in enumerate(self.rows):
            if self._key(row) == key:
                self.cursor = index
                self.refresh()
                return True
        return False

    def render(self) -> Content:
        """Title line and the rows in sight."""
        width, height = self.size
        if not self.rows:
            return Content.styled(self.empty, theme.QUIET)
        self._top = max(0, min(self._top, self.cursor, len(self.rows) - (height - 1)))
        self._top = max(self._top, self.cursor - (height - 2))
        seen = self._seen(width)
        lines = [Content.assemble("  ", *self._heads(seen))]
        sight = range(self._top, min(self._top + height - 1, len(self.rows)))
        lines.extend(self._line(index, seen, width) for index in sight)
        return Content("\n").join(lines)

    def _line(self, index: int, seen: list[tuple[int, int]], width: int) -> Content:
        row, parts = self.rows[index], list[Cell]()
        for number, cells in seen:
            text, style = self.columns[number].cell(row)
            text = cut(text, cells)
            parts.append(
                (text.rjust(cells) if self.columns[number].right else text.ljust(cells), style)
            )
            parts.append((" ", ""))
        here = index == self.cursor
        line = Content.assemble(("▸ " if here else "  ", theme.MARK), *parts)
        if here:
            # The mark at the left says it where there is no colour.
            tint = "bold on $primary 25%" if self.has_focus else "on $panel"
            line = line.pad_right(max(0, width - line.cell_length)).stylize(tint)
        return line

    def _heads(self, seen: list[tuple[int, int]]) -> list[Cell]:
        parts = list[Cell]()
        for number, cells in seen:
            column = self.columns[number]
            arrow = "" if number != self.sorted_by else "▼" if self.backwards else "▲"
            title = cut(column.title, cells - len(arrow)) + arrow
            style = theme.HEAD if arrow else theme.QUIET
            parts.append((title.rjust(cells) if column.right else title.ljust(cells), style))
            parts.append((" ", ""))
        return parts

    def _seen(self, width: int) -> list[tuple[int, int]]:
        """Numbers and widths of the columns there is room for."""
        kept = list(range(len(self.columns)))
        room = width - 2
        while sum(self.columns[n].width + 1 for n in kept) > room and len(kept) > 1:
            kept.remove(max(kept, key=lambda n: (self.columns[n].rank, n)))
        left = max(0, room - sum(self.columns[n].width + 1 for n in kept))
        widths = list[tuple[int, int]]()
        for n in kept:
            column = self.columns[n]
            more = max(0, min(left, column.grow - column.width))
            left -= more
            widths.append((n, min(column.width, room) + more))
        return widths

    def _arrange(self, *, follow: bool) -> None:
        before = None if self.row is None else self._key(self.row)
        self.rows = list(self._given)
        by = None if self.sorted_by is None else self.columns[self.sorted_by].sort
        if by is not None:
            self.rows.sort(key=by, reverse=self.backwards)
        self.cursor = max(0, min(self.cursor, len(self.rows) - 1))
        if follow:
            self.cursor = max(0, len(self.rows) - 1)
        elif before is not None:
            self.find(before)
        self.refresh()
        self._tell()

    def _to(self, index: int) -> None:
        if self.rows:
            self.cursor = max(0, min(index, len(self.rows) - 1))
            self.refresh()
            self._tell()

    def _tell(self) -> None:
        if self.row is not None:
            self.post_message(self.Moved(self, self.row))

    def action_move(self, by: int) -> None:
        """Go some rows on."""
        self._to(self.cursor + by)

    def action_page(self, by: int) -> None:
        """Go a page on."""
        self._to(self.cursor + by * max(1, self.size.height - 2))

    def action_end(self, last: bool) -> None:  # noqa: FBT001  Textual calls it so
        """Go to the first or the last row."""
        self._to(len(self.rows) - 1 if last else 0)

    def action_choose(self) -> None:
        """Open the row."""
        if self.row is not None:
            self.post_message(self.Chosen(self, self.row))

    def action_sort(self) -> None:
        """Sort by the next column that can be sorted by; after the last one, as they came."""
        able = [n for n, column in enumerate(self.columns) if column.sort is not None]
        later = [n for n in able if self.sorted_by is None or n > self.sorted_by]
        self.sorted_by = later[0] if later else None
        self.backwards = False
        self._arrange(follow=False)

    def action_reverse(self) -> None:
        """Turn the order round."""
        if self.sorted_by is not None:
            self.backwards = not self.backwards
            self._arrange(follow=False)

    def on_click(self, event: events.Click) -> None:
        """Go to the row; a second click opens it."""
        index = self._top + event.y - 1
        if event.y >= 1 and index < len(self.rows):
            self._to(index)
            if event.chain == 2:
                self.action_choose()

    def on_mouse_scroll_down(self) -> None:
        """Go on."""
        self.action_move(3)

    def on_mouse_scroll_up(self) -> None:
        """Go back."""
        self.action_move(-3)
