"""The parts of the episode screen: an EpisodeView as a title, tracks, and one decision in full."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from textual.content import Content

from agent.logbook import EpisodeView
from agent.logbook.episode_view import Seen
from agent.tui import theme
from agent.tui.figures import cut, number, seconds
from agent.tui.panel import Line
from agent.tui.tracks import Track

Floats = NDArray[np.float64]
AXES = ("x", "y", "z", "turn x", "turn y", "turn z", "gripper")
LETTERS = {
    "step": "S", "speed": "V", "acceleration": "A", "box": "B", "joint": "J", "singular": "X",
    "gripper": "G", "rotation": "R", "shape": "F",
}  # fmt: skip
GRIDS = ("asked", "done", "off by", "ratio", "log-prob")
_CELL, _AXIS = 7, 8


def title(view: EpisodeView) -> Content:
    """One line: which episode, how it came out, who says so."""
    row, summary = view.row, view.row.summary
    word = (
        row.status if summary is None or row.status != "sealed" else summary.verdict or "unjudged"
    )
    mark, style = theme.symbol(word)
    parts = [(f"{row.id}  ", theme.STRONG), (f"{mark} {word}", style)]
    if summary is not None:
        p = summary.success_probability
        sure = "" if p is None else f" p {p:.2f}"
        parts += [
            (sure, theme.PLAIN),
            (f"  {summary.task} start {summary.start}", theme.PLAIN),
            (f"  adapter {summary.adapter}", theme.PLAIN),
            (f"  ended: {summary.ending}", theme.QUIET),
        ]
    if row.label or row.notes:
        said = "; ".join(part for part in (row.label, *row.notes) if part)
        parts.append((f"  ✎ {said}", theme.MARK))
    if view.update is not None:
        parts.append((f"  used by update {view.update.number}: {view.update.outcome}", theme.QUIET))
    source = view.facts.get("source")
    if source:
        parts.append((f"  judged by {source}", theme.QUIET))
    return Content.assemble(*parts)


def tracks(view: EpisodeView) -> list[Track]:
    """What there is to see over the decisions; quantities nobody recorded are left out."""
    seen = view.seen
    if seen is None:
        return []
    found, n = seen.tracks, seen.tracks.decisions
    made = list[Track]()

    def add(
        name: str, values: NDArray[np.floating], told: Callable[[float], str], **more: float
    ) -> None:
        if np.isfinite(values).any():
            wide = np.asarray(values, np.float64)
            made.append(Track(name, wide, lambda i: told(_at(wide, i)), **more))  # type: ignore[arg-type]

    add("progress", found.progress[:n], number, low=0.0, high=1.0)
    if seen.rewards is not None:
        add("reward", seen.rewards.total, lambda v: number(v, 3, sign=True))
    explained = view.explained
    if explained is not None:
        add("value", explained.value[:n], number, high=1.0)
        add("advantage", explained.advantage, lambda v: number(v, 3, sign=True))
        with np.errstate(invalid="ignore"):
            add("ratio", _mean(explained.ratio), lambda v: number(v, 3), low=0.0)
    letters = _letters(seen)
    if letters.strip("·"):
        held = Track("held", np.zeros(n), lambda i: _held(seen, i), letters=letters)
        made.append(replace(held, style=theme.CARE))
    total = np.nansum([found.think_s, found.send_s, found.apply_s], axis=0)
    add("latency", np.where(np.isfinite(found.think_s), total, np.nan), seconds, low=0.0)
    add("log-prob", _mean(found.log_probs), number, high=0.0)
    add("not as asked", _gap(seen), lambda v: number(v, 3), low=0.0)
    return made


def decision(view: EpisodeView, index: int, grid: int, width: int, height: int) -> list[Line]:
    """One decision in full: what was asked and done, its probabilities, limits and latency."""
    seen = view.seen
    if seen is None:
        return [[("nothing of it can be read", theme.BAD)], *_damage(view, width)]
    if index >= seen.tracks.decisions:
        return [[("the view after the last decision", theme.QUIET)], *_damage(view, width)]
    held = _held(seen, index)
    style = theme.CARE if held else theme.PLAIN
    facts = [
        _latency(seen, index),
        _rewards(view, seen, index),
        [("held    ", theme.QUIET), (held or "no limit met", style)],
        *_damage(view, width),
    ]
    if height > len(AXES) + 1 + len(facts):
        facts.insert(1, _latency_bar(seen, index, min(width, 60)))
    return [*_grids(view, index, grid, (width, height - len(facts))), *facts][:height]


def slider(view: EpisodeView, index: int, width: int, *, playing: bool) -> Content:
    """Where one is in the episode."""
    if view.seen is None:
        return Content("")
    found = view.seen.tracks
    at = found.elapsed_s[index] if index < found.views else float("nan")
    left = f"{'▶' if playing else '‖'} view {index + 1}/{found.views}  {seconds(float(at))} "
    across = max(4, width - len(left))
    here = round(index * (across - 1) / max(found.views - 1, 1))
    return Content.assemble(
        (left, theme.STRONG),
        ("━" * here, theme.LINE),
        ("●", theme.MARK),
        ("─" * (across - here - 1), "$panel-lighten-2"),
    )


def _grids(view: EpisodeView, index: int, first: int, room: tuple[int, int]) -> list[Line]:
    """As many tables as there is room for, beginning with the one that was chosen."""
    if view.seen is None:
        return []
    k = view.seen.tracks.requested.shape[1]
    across = max(1, (room[0] - _AXIS) // (_CELL * k + 2))
    below = max(1, (room[1] + 1) // (len(AXES) + 2))
    order = [(first + n) % len(GRIDS) for n in range(len(GRIDS))][: across * below]
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
    head += [(f" {GRIDS[n]}".ljust(_CELL * steps + 2), theme.HEAD) for n in shown]
    lines: list[Line] = [head]
    tables = [_table(view, seen, index, n) for n in shown]
    for row, axis in enumerate(AXES):
        parts = [(axis.ljust(_AXIS), theme.QUIET)]
        for n, table in zip(shown, tables, strict=True):
            parts += [_cell(seen, table, n, (index, row, step)) for step in range(steps)]
            parts.append(("  ", ""))
        lines.append(parts)
    return lines


def _cell(seen: Seen, table: Floats, grid: int, place: tuple[int, int, int]) -> tuple[str, str]:
    index, row, step = place
    value = float(table[row, step])
    if np.isnan(value):
        return f"{'·':>{_CELL - 1}} ", "$panel-lighten-2"
    if GRIDS[grid] == "ratio":
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
    if tokens.size != k * len(AXES):  # a policy whose tokens are not one an axis
        return np.full((len(AXES), k), np.nan)
    return np.asarray(tokens, np.float64).reshape(k, len(AXES)).T


def _latency(seen: Seen, index: int) -> Line:
    known = [(name, value) for name, value in _times(seen, index) if np.isfinite(value)]
    if not known:
        return [("time    ", theme.QUIET), ("not recorded", theme.QUIET)]
    told = "  ".join(f"{name} {1000 * value:.0f}" for name, value in known)
    return [("time    ", theme.QUIET), (f"{told} ms", theme.PLAIN)]


def _latency_bar(seen: Seen, index: int, width: int) -> Line:
    """A bar of the parts, as long as the decision took against the episode's slowest."""
    found = seen.tracks
    total = np.nansum([found.think_s, found.send_s, found.apply_s], axis=0)
    longest, across = float(total.max(initial=0.0)), width - 8
    cells = ["", "", ""]
    for n, (_, value) in enumerate(_times(seen, index)):
        if np.isfinite(value) and longest > 0:
            cells[n] = "█▒░"[n] * round(max(0.0, value) / longest * across)
    return [("", ""), (" " * 8, ""), *((cell, theme.LINE) for cell in cells)]


def _times(seen: Seen, index: int) -> list[tuple[str, float]]:
    found = seen.tracks
    return [
        ("think", float(found.think_s[index])),
        ("send", float(found.send_s[index])),
        ("apply", float(found.apply_s[index])),
    ]


def _rewards(view: EpisodeView, seen: Seen, index: int) -> Line:
    rewards = view.explained or seen.rewards
    if rewards is None:
        return [("reward  ", theme.QUIET), ("not judged", theme.QUIET)]
    parts = (("end", rewards.sparse), ("gain", rewards.progress), ("fine", rewards.penalty))
    told = " ".join(f"{name} {float(part[index]):.2g}" for name, part in parts)
    return [("reward  ", theme.QUIET), (told, theme.PLAIN)]


def _damage(view: EpisodeView, width: int) -> list[Line]:
    return [[("! ", theme.BAD), (cut(str(each), width - 2), theme.PLAIN)] for each in view.damage]


def _gap(seen: Seen) -> Floats:
    """Euclidean length of done - asked over the steps taken, in full-scale steps."""
    found = seen.tracks
    apart = np.nan_to_num(found.applied[..., :6] - found.requested[..., :6])
    gap = np.sqrt(np.square(apart).sum(axis=(1, 2)))
    return np.asarray(gap) if np.any(gap > 1e-6) else np.full(found.decisions, np.nan)


def _letters(seen: Seen) -> str:
    found = seen.tracks
    return "".join(
        "H" if found.by_hand[i] else next((LETTERS[n] for n in found.limits_at(i)), "·")
        for i in range(found.decisions)
    )


def _held(seen: Seen, index: int) -> str:
    found = seen.tracks
    if not 0 <= index < found.decisions:
        return ""
    names: Sequence[str] = found.limits_at(index)
    return ", ".join((*(["by hand"] if found.by_hand[index] else []), *names))


def _mean(values: NDArray[np.floating]) -> Floats:
    """Mean over the tokens of each decision; NaN where none is known."""
    known = np.isfinite(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan), np.float64)


def _at(values: Floats, index: int) -> float:
    return float(values[index]) if 0 <= index < len(values) else float("nan")
