"""The parts of the episode screen: an EpisodeView as a title, tracks, and one decision in full."""

from __future__ import annotations

import numpy as np
from textual.content import Content

from agent.logbook import EpisodeView
from agent.logbook.episode_view import Seen
from agent.tui import theme
from agent.tui.episode_grids import AXES, grids
from agent.tui.episode_tracks import held
from agent.tui.figures import cut, seconds
from agent.tui.panel import Line


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


def decision(view: EpisodeView, index: int, grid: int, width: int, height: int) -> list[Line]:
    """One decision in full: what was asked and done, its probabilities, limits and latency."""
    seen = view.seen
    if seen is None:
        return [[("nothing of it can be read", theme.BAD)], *_damage(view, width)]
    if index >= seen.tracks.decisions:
        return [[("the view after the last decision", theme.QUIET)], *_damage(view, width)]
    said = held(seen, index)
    style = theme.CARE if said else theme.PLAIN
    facts = [
        _latency(seen, index),
        _rewards(view, seen, index),
        [("held    ", theme.QUIET), (said or "no limit met", style)],
        *_damage(view, width),
    ]
    if height > len(AXES) + 1 + len(facts):
        facts.insert(1, _latency_bar(seen, index, min(width, 60)))
    return [*grids(view, index, grid, (width, height - len(facts))), *facts][:height]


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
