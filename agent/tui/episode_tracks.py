"""An EpisodeView as tracks: one quantity each, over all its decisions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from agent.logbook import EpisodeView
from agent.logbook.episode_view import Seen
from agent.tui import theme
from agent.tui.figures import number, seconds
from agent.tui.tracks import Track

Floats = NDArray[np.float64]
LETTERS = {
    "step": "S", "speed": "V", "acceleration": "A", "box": "B", "joint": "J", "singular": "X",
    "gripper": "G", "rotation": "R", "shape": "F",
}  # fmt: skip


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
    add("success", found.success[:n], number, low=0.0, high=1.0)
    add("unsure", found.uncertainty[:n], number, low=0.0, high=1.0)
    if seen.rewards is not None:
        add("reward", seen.rewards.total, lambda v: number(v, 3, sign=True))
    if view.explained is not None:
        add("value", view.explained.value[:n], number, high=1.0)
        add("advantage", view.explained.advantage, lambda v: number(v, 3, sign=True))
        with np.errstate(invalid="ignore"):
            add("ratio", _mean(view.explained.ratio), lambda v: number(v, 3), low=0.0)
    if view.asked is not None:
        now = _mean(view.asked.ratio)
        add(f"by {view.asked.adapter}", now, lambda v: number(v, 3), low=0.0)
    letters = _letters(seen)
    if letters.strip("·"):
        told = partial(held, seen)
        made.append(Track("held", np.zeros(n), told, letters=letters, style=theme.CARE))
    total = np.nansum([found.think_s, found.send_s, found.apply_s], axis=0)
    add("latency", np.where(np.isfinite(found.think_s), total, np.nan), seconds, low=0.0)
    add("log-prob", _mean(found.log_probs), number, high=0.0)
    add("not as asked", _gap(seen), lambda v: number(v, 3), low=0.0)
    return made


def held(seen: Seen, index: int) -> str:
    """The limits a decision was held to, in words."""
    found = seen.tracks
    if not 0 <= index < found.decisions:
        return ""
    names: Sequence[str] = found.limits_at(index)
    return ", ".join((*(["by hand"] if found.by_hand[index] else []), *names))


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


def _mean(values: NDArray[np.floating]) -> Floats:
    """Mean over the tokens of each decision; NaN where none is known."""
    known = np.isfinite(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan), np.float64)


def _at(values: Floats, index: int) -> float:
    return float(values[index]) if 0 <= index < len(values) else float("nan")
