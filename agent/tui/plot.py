"""Curves in braille dots, four by two in a cell: lines, a band for an interval, and marks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from textual.content import Content

from agent.tui import theme

Floats = NDArray[np.float64]
_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
_BLANK = 0x2800
_SPACE = " "  # some fonts draw rings for the braille character without dots


@dataclass(frozen=True, slots=True)
class Curve:
    """Values at x = 0, 1, 2 ..; NaN leaves a gap. low, high: the interval around them, if any."""

    values: Floats
    low: Floats | None = None
    high: Floats | None = None
    style: str = theme.LINE


@dataclass(frozen=True, slots=True)
class Frame:
    """What a plot is drawn into: its cells, its range, and what stands at its sides.

    marks: x to the label of a thin upright line there. labels: at the left and right end of x.
    """

    width: int
    height: int
    low: float
    high: float
    tick: Callable[[float], str]
    marks: Sequence[tuple[int, str]] = ()
    labels: tuple[str, str] = ("", "")


def chart(curve: Curve, frame: Frame) -> Content:
    """A curve with its axes, in exactly frame.width x frame.height cells."""
    ticks = [frame.tick(frame.high), frame.tick(frame.low)]
    margin = max(len(tick) for tick in ticks) + 1
    columns, rows = frame.width - margin - 1, frame.height - 2
    if columns < 4 or rows < 1:
        return Content("too small to draw")
    cells = curve_cells(curve, columns, rows, frame.low, frame.high)
    heads = _place_marks(cells, curve.values.size, frame.marks)
    lines = [Content.assemble(" " * (margin + 1), *heads)]
    middle = rows // 2
    for row, line in enumerate(cells):
        text = ""
        if row in {0, rows - 1}:
            text = ticks[0 if row == 0 else 1]
        elif row == middle and rows >= 5:
            text = frame.tick((frame.low + frame.high) / 2)
        edge = "┤" if text else "│"
        lines.append(Content.assemble((f"{text:>{margin}}{edge}", theme.QUIET), *joined(line)))
    left, right = frame.labels
    below = left + right.rjust(columns - len(left))
    lines.append(Content.assemble((" " * margin + "└" + below[:columns], theme.QUIET)))
    return Content("\n").join(lines)


def curve_cells(
    curve: Curve, columns: int, rows: int, low: float, high: float
) -> list[list[tuple[str, str]]]:
    """Rows of single cells (character, style), the curve over its band."""
    line = _dots(curve.values, columns, rows, low, high)
    band = np.zeros_like(line)
    if curve.low is not None and curve.high is not None:
        band = _band(curve.low, curve.high, columns, rows, low, high)
    both = _characters(line | band)
    covered = np.asarray(line.reshape(rows, 4, columns, 2).any(axis=(1, 3)))
    return [
        [
            (chr(code) if code != _BLANK else _SPACE, curve.style if on else theme.BAND)
            for code, on in zip(codes, ons, strict=True)
        ]
        for codes, ons in zip(both.tolist(), covered.tolist(), strict=True)
    ]


def joined(cells: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Neighbours of one style in one piece, blanks with what stands before them.

    What is drawn costs by the piece, so a line of single cells costs as much as a page of text.
    """
    pieces = list[tuple[str, str]]()
    for text, style in cells:
        if pieces and (style == pieces[-1][1] or (text == _SPACE and _plain(pieces[-1][1]))):
            pieces[-1] = pieces[-1][0] + text, pieces[-1][1]
        else:
            pieces.append((text, style))
    return pieces


@lru_cache(maxsize=64)
def _plain(style: str) -> bool:
    """Whether a blank looks the same in this style as in any other."""
    return not any(word in style.split() for word in ("reverse", "underline", "on", "strike"))


def column_of(index: int, count: int, columns: int) -> int:
    """The cell that x = index falls into."""
    return round(index * (2 * columns - 1) / max(count - 1, 1)) // 2


def _characters(dots: NDArray[np.bool_]) -> NDArray[np.int64]:
    rows, columns = dots.shape[0] // 4, dots.shape[1] // 2
    split = dots.reshape(rows, 4, columns, 2).transpose(0, 2, 1, 3)
    return np.asarray((split * _BITS).sum(axis=(2, 3)) + _BLANK)


def _height(values: Floats, dots: int, low: float, high: float) -> NDArray[np.int64]:
    """Dot rows from the top, held within the picture."""
    span = high - low or 1.0
    share = np.clip((values - low) / span, 0.0, 1.0)
    return np.asarray(np.rint((1 - share) * (dots - 1)), np.int64)


def _sampled(values: Floats, across: int) -> Floats:
    """The curve at every dot column; NaN where it has no value."""
    if values.size == 1:
        return np.full(across, values[0])
    x = np.linspace(0, values.size - 1, across)
    return np.asarray(np.interp(x, np.arange(values.size), values))


def _dots(values: Floats, columns: int, rows: int, low: float, high: float) -> NDArray[np.bool_]:
    dots = np.zeros((4 * rows, 2 * columns), np.bool_)
    if not values.size:
        return dots
    tops, bottoms = _extent(values, 2 * columns)
    before: tuple[int, int] | None = None
    for column in range(2 * columns):
        if np.isnan(tops[column]):
            before = None
            continue
        ends = np.array([tops[column], bottoms[column]])
        top, bottom = (int(end) for end in _height(ends, 4 * rows, low, high))
        dots[top : bottom + 1, column] = True
        # A steep piece is joined to its neighbour, so that the line has no holes.
        if before is not None:
            dots[before[1] + 1 : top, column] = True
            dots[bottom + 1 : before[0], column] = True
        before = top, bottom
    return dots


def _extent(values: Floats, across: int) -> tuple[Floats, Floats]:
    """Largest and smallest value in each dot column: no peak is lost where many share one."""
    sampled = _sampled(values, across)
    if values.size <= across:
        return sampled, sampled
    tops, bottoms = sampled.copy(), sampled.copy()
    where = np.rint(np.arange(values.size) * (across - 1) / (values.size - 1)).astype(int)
    known = ~np.isnan(values)
    np.fmax.at(tops, where[known], values[known])
    np.fmin.at(bottoms, where[known], values[known])
    return tops, bottoms


def _band(
    lower: Floats, upper: Floats, columns: int, rows: int, low: float, high: float
) -> NDArray[np.bool_]:
    """Every other dot between two curves: told from the line without any colour."""
    tops, bottoms = _sampled(upper, 2 * columns), _sampled(lower, 2 * columns)
    known = ~(np.isnan(tops) | np.isnan(bottoms))
    first = _height(np.nan_to_num(tops), 4 * rows, low, high)
    last = _height(np.nan_to_num(bottoms), 4 * rows, low, high)
    y, x = np.indices((4 * rows, 2 * columns))
    inside = (y >= first[None]) & (y <= last[None]) & known[None]
    return np.asarray(inside & (y % 2 == 0) & ((x + y // 2) % 2 == 0))


def _place_marks(
    cells: list[list[tuple[str, str]]], count: int, marks: Sequence[tuple[int, str]]
) -> list[tuple[str, str]]:
    """Draw upright lines where nothing is drawn; returns the line of their labels above.

    A mark whose label has no room is left out: many of them would hide the curve.
    """
    columns = len(cells[0])
    heads, free = [" "] * columns, 0
    for index, label in marks:
        column = column_of(index, count, columns)
        if column < free or column + len(label) > columns:
            continue
        heads[column : column + len(label)] = list(label)
        free = column + len(label) + 1
        for line in cells:
            if line[column][0] == _SPACE:
                line[column] = ("┊", theme.QUIET)
    return [("".join(heads), theme.QUIET)]
