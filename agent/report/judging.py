"""A picture of how far a judge can be trusted: verdicts, ROC, odds, and each task's figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from agent.appraisal import Appraisal, Quality
from agent.durable import write_bytes
from agent.report.ink import BLUE, GREEN, GREY, ORANGE, drawing, figure, image
from agent.report.plots import points

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from agent.reward.quality import Estimate


def picture(path: Path, found: Appraisal) -> None:
    """Write the picture as PNG. Raises UsageError where matplotlib is absent."""
    with drawing():
        write_bytes(path, image(judging(found), "png"))


def judging(found: Appraisal) -> Figure:
    """Six panes: in all on top, task by task below."""
    made, (table, curve, odds, false, right, order) = figure(13.0, 8.0, 2, 3)
    _verdicts(table, found.whole)
    _roc(curve, found)
    _odds(odds, found.whole)
    rows = [*found.tasks, found.whole]
    _rates(false, rows, "False positives", "failures called success, %")
    _areas(right, rows)
    _orders(order, rows)
    made.suptitle(", ".join(found.sources) or "no judge answered")
    return made


def _verdicts(axes: Axes, whole: Quality) -> None:
    said = whole.confusion
    counts = np.array(
        [[said.true_success, said.false_failure], [said.false_success, said.true_failure]]
    )
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        ink = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, str(count), ha="center", va="center", color=ink, fontsize=14)
    axes.set_xticks([0, 1], ["said success", "said failure"])
    axes.set_yticks([0, 1], ["success", "failure"])
    axes.grid(visible=False)
    axes.set_title(f"{whole.episodes} episodes, {said.unknown} said unknown, {whole.silent} silent")


def _roc(axes: Axes, found: Appraisal) -> None:
    axes.plot([0, 100], [0, 100], color=GREY, lw=1, ls=":")
    for each in (*found.tasks, found.whole):
        if each.roc is not None:
            ink, width = (GREY, 0.8) if each.name else (BLUE, 2.0)
            false, true = each.roc.false_positive_rate, each.roc.true_positive_rate
            axes.plot(100 * false, 100 * true, color=ink, lw=width)
    title = "ROC"
    if found.whole.roc is not None:
        area = found.whole.roc.area
        title = f"ROC: area {area.value:.3f}, 95 % {area.low:.3f} to {area.high:.3f}"
    axes.set(title=title, xlabel="failures above the bar, %", ylabel="successes above the bar, %")


def _odds(axes: Axes, whole: Quality) -> None:
    axes.plot([0, 100], [0, 100], color=GREY, lw=1, ls=":")
    said = [100 * each.said for each in whole.bins]
    points(axes, said, [each.came for each in whole.bins], [BLUE] * len(said))
    told = "" if whole.brier is None else f": Brier score {whole.brier:.3f}"
    axes.set(
        title=f"Odds{told}", xlabel="success probability given, %", ylabel="came true, %",
        xlim=(-5, 105), ylim=(-5, 118),
    )  # fmt: skip


def _rates(axes: Axes, rows: list[Quality], title: str, unit: str) -> None:
    rates = [each.false_positives for each in rows]
    points(axes, list(range(len(rows))), rates, _colours(rows))
    top = max(5.0, 130 * max(rate.high for rate in rates if rate.tried or rate is rates[-1]))
    axes.set(title=title, ylabel=unit, ylim=(-0.03 * top, top))
    _named(axes, rows)


def _areas(axes: Axes, rows: list[Quality]) -> None:
    areas = [None if each.roc is None else each.roc.area for each in rows]
    _estimates(axes, areas, _colours(rows))
    lowest = min((each.low for each in areas if each is not None), default=0.5)
    axes.set(title="Area under ROC", ylabel="area", ylim=(min(0.9, lowest - 0.02), 1.01))
    _named(axes, rows)


def _orders(axes: Axes, rows: list[Quality]) -> None:
    spots = np.arange(len(rows))
    _estimates(axes, [each.order for each in rows], [BLUE] * len(rows), spots - 0.15, "order")
    _estimates(axes, [each.phase for each in rows], [GREEN] * len(rows), spots + 0.15, "true phase")
    title = "Progress in successes: rank correlation"
    axes.set(title=title, ylabel="Spearman's, mean", ylim=(min(0.0, axes.get_ylim()[0]), 1.05))
    axes.legend(loc="lower right")
    _named(axes, rows)


def _estimates(
    axes: Axes,
    found: list[Estimate | None],
    colours: list[str],
    spots: np.ndarray | None = None,
    name: str = "",
) -> None:
    told = False
    for number, (each, colour) in enumerate(zip(found, colours, strict=True)):
        if each is None:
            continue
        at = number if spots is None else spots[number]
        # A percentile interval may lie to one side of its figure.
        reach = [[max(0.0, each.value - each.low)], [max(0.0, each.high - each.value)]]
        label = name if name and not told else None
        axes.errorbar(at, each.value, reach, fmt="o", color=colour, capsize=3, label=label)
        told = True


def _colours(rows: list[Quality]) -> list[str]:
    return [BLUE if each.name else ORANGE for each in rows]


def _named(axes: Axes, rows: list[Quality]) -> None:
    names = [each.name or "all" for each in rows]
    axes.set_xticks(range(len(rows)), names, rotation=35, ha="right", fontsize=8)
    axes.set_xlim(-0.6, len(rows) - 0.4)
