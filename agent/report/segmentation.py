"""A picture of how an episode was cut: gripper, speed, progress and what was seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from agent.durable import write_bytes
from agent.episode import Episode, Observation, Uint8Array
from agent.report.ink import BLUE, GREEN, GREY, ORANGE, RED, drawing, figure, image
from agent.reward.segments import Segmentation, Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_FRAMES = 8
_GAP = ((1, 1), (2, 2), (0, 0))  # px of white around a view


def picture(
    path: Path, episode: Episode, series: Series, found: Segmentation, outcome: str
) -> None:
    """Write the segmentation of an episode as PNG. outcome: what is known of it, in a word."""
    with drawing():
        made = segmentation(episode, series, found, outcome)
        write_bytes(path, image(made, "png"))


def segmentation(episode: Episode, series: Series, found: Segmentation, outcome: str) -> Figure:
    """Gripper, speed and progress over the episode's time, and the views at what was found."""
    made, (grip, speed, progress, seen) = figure(10.0, 9.0, 4)
    time_s = np.arange(len(series.opening)) / series.hz
    grip.plot(time_s, series.opening, color=GREY, lw=1, label="as felt")
    grip.plot(time_s, found.opening, color=BLUE, lw=2, label="median-filtered")
    grip.set(
        title=f"Episode {episode.id}: {episode.task.instruction} ({outcome})",
        ylabel="gripper opening", ylim=(-0.05, 1.1),
    )  # fmt: skip
    speed.plot(time_s, 1000 * found.speed_m_s, color=BLUE, lw=1.5, label="tool")
    speed.axhline(1000 * found.slow_m_s, color=GREY, ls=":", label="keyframes are slower")
    speed.set(ylabel="speed, mm/s")
    as_if = "labelled" if outcome == "success" else "a success's would be"
    progress.plot(time_s, found.progress, color=BLUE, lw=2, label=f"progress, as {as_if}")
    progress.set(ylabel="progress", ylim=(-0.05, 1.1), xlabel="time, s")
    for axes in (grip, speed, progress):
        _marked(axes, series, found)
        axes.set_xlim(0, time_s[-1])
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    _views(seen, episode, series, found)
    return made


def _marked(axes: Axes, series: Series, found: Segmentation) -> None:
    for number, at in enumerate(found.milestones):
        name = "milestone" if number == 0 else None
        axes.axvline(at / series.hz, color=RED, lw=1.5, label=name)
    between = np.setdiff1d(found.keyframes, found.milestones)
    for number, at in enumerate(between):
        name = "keyframe" if number == 0 else None
        axes.axvline(at / series.hz, color=ORANGE, lw=1.2, ls="--", label=name)


def _views(axes: Axes, episode: Episode, series: Series, found: Segmentation) -> None:
    """The views at the beginning and at what was found, one camera over the other."""
    views = [step.observation for step in episode.steps] + [episode.last]
    between = np.setdiff1d(found.keyframes, found.milestones)
    few = max(0, MOST_FRAMES - 1 - len(found.milestones))
    some = np.linspace(0, len(between) - 1, min(few, len(between))).round().astype(int)
    wanted = sorted({0, *found.milestones.tolist(), *between[some].tolist()})
    places = np.minimum(np.searchsorted(series.views, wanted), len(views) - 1)
    columns = [np.pad(_stacked(views[int(place)]), _GAP, constant_values=255) for place in places]
    axes.imshow(np.concatenate(columns, axis=1), interpolation="nearest")
    width = columns[0].shape[1]
    ticks = [(number + 0.5) * width for number in range(len(columns))]
    names = [_named(at, series, found) for at in wanted]
    axes.set_xticks(ticks, names, fontsize=8)
    for tick, at in zip(axes.get_xticklabels(), wanted, strict=True):
        tick.set_color(RED if at in found.milestones else ORANGE if at else GREEN)
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.set_ylabel("views")


def _named(at: int, series: Series, found: Segmentation) -> str:
    name = "milestone" if at in found.milestones else "keyframe" if at else "first view"
    return f"{name}\n{at / series.hz:.2f} s, {100 * found.progress[at]:.0f} %"


def _stacked(view: Observation) -> Uint8Array:
    """All cameras of one moment, one over the other, each as wide as the first."""
    from PIL import Image

    pictures = [view.images[name] for name in sorted(view.images)]
    width = pictures[0].shape[1]
    scaled = [
        np.asarray(Image.fromarray(each).resize((width, each.shape[0] * width // each.shape[1])))
        for each in pictures
    ]
    stacked: Uint8Array = np.concatenate(scaled)
    return stacked
