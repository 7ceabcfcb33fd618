"""One decision in tables: an axis a row, a control step a column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.logbook import EpisodeView
from agent.logbook.episode_view import Seen
from agent.tui import theme
from agent.tui.figures import cut
from agent.tui.panel import Line

Floats = NDArray[np.float64]
AXES = ("x", "y", "z", "turn x", "turn y", "turn z", "gripper")
GRIDS = ("asked", "done", "off by", "ratio", "log-prob", "by now")
_CELL, _AXIS = 7, 8


def known(view: EpisodeView) -> int:
    """How many tables there are; the last one where somebody asked for it."""
    return len(GRIDS) - (view.asked is None)


def grids(view: EpisodeView, index: int, first: int, room: tuple[int, int]) -> list[Line]:
    """As many tables as there is room for, beginning with the one that was chosen."""
    if view.seen is None:
        return []
    k = view.seen.tracks.requested.shape[1]
    across = max(1, (room[0] - _AXIS) // (_CELL * k + 2))
    below = max(1, (room[1] + 1) // (len(AXES) + 2))
    count = known(view)
    order = [(first + n) % count for n in range(count)][: across * below]
    lines = list[Line]()
    for start in range(0, len(order), across):
        if lines:
            lines.append([])
        lines += _beside(view, index, order[start : start + across], room[0])
    return lines


def _beside(view: EpisodeView, index: int, shown: Sequence[int], width: int) -> list[Line]:
    """Axes down, control steps across, tables side by side."""
    seen = view.seen
    if seen is None:
        return []
    k = seen.tracks.requested.shape[1]
    steps = max(1, min(k, (width - _AXIS) // _CELL))
    head = [("axis".ljust(_AXIS), theme.QUIET)]
    head += [(f" {_called(view, n)}".ljust(_CELL * steps + 2), theme.HEAD) for n in shown]
    lines: list[Line] = [head]
    tables = [_table(view, seen, index, n) for n in shown]
    for row, axis in enumerate(AXES):
        parts = [(axis.ljust(_AXIS), theme.QUIET)]
        for n, table in zip(shown, tables, strict=True):
            parts += [_cell(seen, table, n, (index, row, step)) for step in range(steps)]
            parts.append(("  ", ""))
        lines.append(parts)
    return lines


def _called(view: EpisodeView, grid: int) -> str:
    if GRIDS[grid] == "by now" and view.asked is not None:
        return cut(f"by {view.asked.adapter}", _CELL)
    return GRIDS[grid]


def _cell(seen: Seen, table: Floats, grid: int, place: tuple[int, int, int]) -> tuple[str, str]:
    index, row, step = place
    value = float(table[row, step])
    if np.isnan(value):
        return f"{'·':>{_CELL - 1}} ", "$panel-lighten-2"
    if GRIDS[grid] in {"ratio", "by now"}:
        style = theme.GOOD if value > 1.2 else theme.BAD if value < 0.8 else theme.PLAIN
        return f"{value:>{_CELL - 1}.2f} ", style
    if GRIDS[grid] == "log-prob":
        return f"{value:>{_CELL - 1}.2f} ", theme.PLAIN
    found = seen.tracks
    other = not np.isclose(found.applied[index, step, row], found.requested[index, step, row])
    taken = step < found.applied_count[index]
    # The mark says it without colour; a step that was never taken differs from nothing.
    mark, style = ("!", theme.CARE) if taken and other else (" ", theme.PLAIN)
    return f"{value:>+{_CELL - 1}.2f}{mark}", style if taken else theme.QUIET


def _table(view: EpisodeView, seen: Seen, index: int, grid: int) -> Floats:
    """(7 axes, k control steps)."""
    found = seen.tracks
    k = found.requested.shape[1]
    asked, done = found.requested[index].T, found.applied[index].T
    name = GRIDS[grid]
    if name == "asked":
        return np.asarray(asked)
    if name == "done":
        return np.asarray(done)
    if name == "off by":
        return np.asarray(done - asked)
    tokens: NDArray[np.floating] = found.log_probs[index]
    if name == "ratio":
        explained = view.explained
        tokens = np.full(tokens.shape, np.nan) if explained is None else explained.ratio[index]
    if name == "by now" and view.asked is not None:
        tokens = view.asked.ratio[index]
    if tokens.size != k * len(AXES):  # a policy whose tokens are not one an axis
        return np.full((len(AXES), k), np.nan)
    return np.asarray(tokens, np.float64).reshape(k, len(AXES)).T
