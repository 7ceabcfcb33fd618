"""A few telling episodes: a clip of each, and its decisions in a plot."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from agent.episode import Uint8Array
from agent.errors import DataError, UsageError
from agent.logbook import EpisodeView, Frames, RunView, episode
from agent.report.ink import BLUE, GREEN, GREY, ORANGE, figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_FRAMES = 40
HEIGHT_PX = 168  # of a clip
SECONDS = 4.0  # a clip lasts, about


@dataclass(frozen=True, slots=True)
class Closeup:
    """One episode to show. why: what it is an example of. clip: animated WebP, b"" without."""

    view: EpisodeView
    why: str
    clip: bytes
    plot: Figure | None


def closeups(run: Path, view: RunView) -> tuple[Closeup, ...]:
    """The first failure and success, and the last ones by the adapter that acts."""
    return tuple(_closeup(run, name, why) for name, why in _picks(view).items())


def _picks(view: RunView) -> dict[str, str]:
    picks: dict[str, str] = {}
    for won, word in ((False, "failure"), (True, "success")):
        mine = [point for point in view.points if point.won is won]
        if mine:
            picks.setdefault(mine[0].id, f"the first {word}")
            picks.setdefault(mine[-1].id, f"the last {word}")
    return picks


def _closeup(run: Path, name: str, why: str) -> Closeup:
    seen = episode(run, name)
    try:
        made = clip(run, seen)
    except (DataError, UsageError):  # the view names the damage
        made = b""
    return Closeup(seen, why, made, decisions(seen))


def clip(run: Path, view: EpisodeView) -> bytes:
    """All cameras side by side, at most `MOST_FRAMES` views. Raises DataError for damage."""
    from PIL import Image

    if view.seen is None or not view.cameras:
        return b""
    frames, count = Frames(run, view.row.id), view.seen.tracks.views
    chosen = np.unique(np.linspace(0, count - 1, min(count, MOST_FRAMES)).round().astype(int))
    pictures = [_beside([frames.frame(name, int(at)) for name in view.cameras]) for at in chosen]
    if not pictures:
        return b""
    out = io.BytesIO()
    pause_ms = int(1000 * SECONDS / len(pictures))
    first, *rest = (Image.fromarray(picture) for picture in pictures)
    first.save(
        out, "WEBP", save_all=True, append_images=rest, loop=0, quality=70,
        duration=[*[pause_ms] * (len(pictures) - 1), 1200],
    )  # fmt: skip
    return out.getvalue()


def decisions(view: EpisodeView) -> Figure | None:
    """Value, advantage and reward of each decision; None where no update told them."""
    if view.explained is None:
        return None
    made, (axes, below) = figure(5.2, 3.0, 2, 1)
    told = view.explained
    x = np.arange(told.decisions)
    axes.plot(np.arange(len(told.value)), told.value, color=BLUE, lw=1.8, label="value")
    axes.bar(x, told.advantage, color=ORANGE, alpha=0.8, label="advantage")
    axes.plot(x, told.sparse + told.progress + told.penalty, color=GREEN, lw=1.2, label="reward")
    axes.set(title="What the update made of each decision", ylabel="units of success")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    ratio = (told.after - told.before).sum(1)
    below.axhline(0, color=GREY, lw=1)
    below.bar(x, ratio, color=[GREEN if value > 0 else GREY for value in np.nan_to_num(ratio)])
    below.set(xlabel="decision", ylabel="log p after\n- before, nats", xlim=axes.get_xlim())
    return made


def _beside(pictures: Sequence[Uint8Array]) -> Uint8Array:
    """Pictures of one moment in a row, all of one height."""
    from PIL import Image

    scaled = []
    for picture in pictures:
        height, width = picture.shape[:2]
        size = (max(1, round(width * HEIGHT_PX / height)), HEIGHT_PX)
        how = Image.Resampling.NEAREST if height < HEIGHT_PX else Image.Resampling.LANCZOS
        scaled.append(np.asarray(Image.fromarray(picture).resize(size, how)))
    gap = np.full((HEIGHT_PX, 4, 3), 255, np.uint8)
    row = [part for picture in scaled for part in (picture, gap)][:-1]
    beside: Uint8Array = np.concatenate(row, axis=1)
    return beside
