"""The plots of a run: success, adapters, held-out states, updates, start states and the judge."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from agent.logbook import Rate, RewardView, RunView
from agent.report.ink import BLUE, GREEN, GREY, ORANGE, RED, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

MOST_BARS = 24
MOST_LINES = 40  # updates marked by a line from top to bottom; more are ticks
_MARKS = {"kept": (GREEN, "-"), "discarded": (GREY, ":"), "rolled back": (RED, "--")}
# name, title, unit on the axis
_FIGURES = (
    ("update/kl_step", "Step: KL(old, new)", "nats a token"),
    ("update/kl_reference", "Distance: KL(new, start)", "nats a token"),
    ("update/policy_loss", "Policy loss", "units of advantage"),
    ("update/clip_fraction", "Clipped ratios", "share"),
    ("update/entropy", "Entropy of a token", "nats"),
    ("critic/explained_variance", "Critic: explained variance", "share of variance"),
)


def plots(view: RunView, judge: RewardView) -> Mapping[str, Figure]:
    """Every plot that the run has something for, by name."""
    makers: Mapping[str, Callable[[], Figure | None]] = {
        "success": lambda: success(view),
        "adapters": lambda: by_adapter(view),
        "held-out": lambda: held_out(view),
        "updates": lambda: updates(view),
        "start-states": lambda: start_states(view),
        "calibration": lambda: calibration(judge),
    }
    found = {name: maker() for name, maker in makers.items()}
    return {name: made for name, made in found.items() if made is not None}


def success(view: RunView) -> Figure | None:
    """Success of the last episodes, with its interval, each outcome, and the updates between."""
    if not view.points:
        return None
    made, (axes,) = figure(9.0, 3.8)
    x = np.arange(1, len(view.points) + 1)
    rates = [point.rate for point in view.points]
    width = 1.0 if len(x) <= 300 else 0.4
    low, high = [100 * r.low for r in rates], [100 * r.high for r in rates]
    axes.fill_between(x, low, high, color=BLUE, alpha=0.18, lw=0, label="95 % interval")
    axes.plot(x, [100 * r.share for r in rates], color=BLUE, lw=2, label="success rate")
    for won, at, colour, name in ((True, 106, GREEN, "success"), (False, -6, RED, "failure")):
        here = [i for i, point in zip(x, view.points, strict=True) if point.won is won]
        axes.plot(
            here,
            [at] * len(here),
            "|",
            color=colour,
            ms=7,
            mew=width,
            label=f"{name} (each episode)",
        )
    _updates_between(axes, view)
    axes.set(
        title=f"Success of the last {view.window} episodes",
        xlabel="episode", ylabel="success rate, %", ylim=(-18, 111),
        xlim=(0.5, max(len(x), 2) + 0.5), yticks=range(0, 101, 20),
    )  # fmt: skip
    made.legend(loc="outside lower center", ncols=3)
    return made


def by_adapter(view: RunView) -> Figure | None:
    """Success of each adapter in the episodes that it acted in."""
    shown = view.by_adapter[-MOST_BARS:]
    if not shown:
        return None
    made, (axes,) = figure(9.0, 3.4)
    colours = [ORANGE if each.adapter == view.adapter else BLUE for each in shown]
    _rates(axes, [each.rate for each in shown], colours)
    axes.set_xticks(
        range(len(shown)), [each.adapter for each in shown], rotation=60 if len(shown) > 12 else 0
    )
    now = " (orange: the one that acts now)" if ORANGE in colours else ""
    axes.set(
        title="Success while acting, by adapter",
        xlabel=f"adapter{now}",
        ylabel="success rate, %",
    )
    return made


def held_out(view: RunView) -> Figure | None:
    """Greedy success on held-out start states, before and after."""
    if not view.evaluations:
        return None
    made, (axes,) = figure(4.6, 3.4)
    shown = view.evaluations[-6:]
    colours = [GREY if each.phase == "before" else GREEN for each in shown]
    _rates(axes, [each.rate for each in shown], colours)
    axes.set_xticks(range(len(shown)), [f"{each.phase}\n{each.adapter}" for each in shown])
    told = "" if view.paired is None else f"\nexact paired test p = {view.paired.p_value:.2g}"
    axes.set(title=f"Held-out start states, greedy{told}", ylabel="success rate, %")
    return made


def updates(view: RunView) -> Figure | None:
    """What every update measured, kept or not."""
    rows = [row for row in view.updates if row.metrics]
    if not rows:
        return None
    made, panes = figure(9.0, 5.0, 2, 3)
    for axes, (name, title, unit) in zip(panes, _FIGURES, strict=True):
        numbers = [row.number for row in rows]
        values = [row.metrics.get(name, np.nan) for row in rows]
        axes.plot(numbers, values, color=GREY, lw=1 if len(rows) <= MOST_LINES else 0.4, zorder=1)
        for outcome, colour, marker in (("kept", GREEN, "o"), ("discarded", RED, "x")):
            mine = [i for i, row in enumerate(rows) if row.outcome == outcome]
            axes.plot(
                [numbers[i] for i in mine], [values[i] for i in mine], marker,
                color=colour, ms=5 if len(rows) <= MOST_LINES else 2.5,
                label=outcome if mine else None,
            )  # fmt: skip
        axes.set(title=title, ylabel=unit)
        _whole_numbers(axes.xaxis)
    for axes in panes[3:]:
        axes.set_xlabel("update")
    handles, names = panes[0].get_legend_handles_labels()
    made.legend(handles, names, loc="outside lower center", ncols=2)
    return made


def start_states(view: RunView) -> Figure | None:
    """Which start states were tried how often, and how they went."""
    if not view.arms:
        return None
    made, (axes,) = figure(9.0, 3.4)
    shown = sorted(view.arms, key=lambda arm: (-arm.rate.tried, arm.task, arm.start))[:40]
    won = [arm.rate.won for arm in shown]
    lost = [arm.rate.tried - arm.rate.won for arm in shown]
    x = range(len(shown))
    axes.bar(x, won, color=GREEN, label="success")
    axes.bar(x, lost, bottom=won, color=RED, alpha=0.75, hatch="//", ec="white", label="failure")
    several = len({arm.task for arm in shown}) > 1
    names = [f"{arm.task} {arm.start}" if several else str(arm.start) for arm in shown]
    axes.set_xticks(x, names, rotation=90 if several or len(shown) > 30 else 0, fontsize=8)
    part = f": {len(shown)} of {len(view.arms)}" if len(shown) < len(view.arms) else ""
    task = "" if several else f" of {shown[0].task}"
    axes.set(
        title=f"Training start states{task}, the most tried first{part}", xlabel="start state",
        ylabel="episodes",
    )  # fmt: skip
    _whole_numbers(axes.yaxis)
    made.legend(loc="outside right upper")
    return made


def calibration(judge: RewardView) -> Figure | None:
    """How often what the judge gave odds for came true."""
    if not judge.bins:
        return None
    made, (axes,) = figure(4.6, 3.6)
    axes.plot([0, 100], [0, 100], color=GREY, lw=1, ls=":", label="perfect")
    said = [100 * each.said for each in judge.bins]
    points(axes, said, [each.came for each in judge.bins], [BLUE] * len(said))
    axes.set(
        title="The judge's odds", xlabel="success probability given, %", ylabel="came true, %",
        xlim=(-5, 105), ylim=(-5, 112),
    )  # fmt: skip
    axes.legend(loc="upper left")
    return made


def _updates_between(axes: Axes, view: RunView) -> None:
    """A line after the last episode that each update used; one legend entry a kind."""
    order = {point.id: number for number, point in enumerate(view.points, 1)}
    told: set[str] = set()
    top = 1.0 if len(view.updates) <= MOST_LINES else 0.045
    for row in view.updates:
        places = [order[each] for each in row.episodes if each in order]
        if row.outcome in _MARKS and places:
            colour, style = _MARKS[row.outcome]
            name = None if row.outcome in told else f"update {row.outcome}"
            told.add(row.outcome)
            at = max(places) + 0.5
            axes.axvline(at, 0, top, color=colour, ls=style, lw=0.9, alpha=0.7, label=name)


def _whole_numbers(axis: Axis) -> None:
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(5, integer=True))


def _rates(axes: Axes, rates: Sequence[Rate], colours: Sequence[str]) -> None:
    points(axes, list(range(len(rates))), rates, colours)
    axes.set(ylim=(-5, 118), yticks=range(0, 101, 20), xlim=(-0.6, len(rates) - 0.4))


def points(axes: Axes, x: Sequence[float], rates: Sequence[Rate], colours: Sequence[str]) -> None:
    """A rate a point, with its interval and its count above it."""
    for at, rate, colour in zip(x, rates, colours, strict=True):
        middle = 100 * rate.share
        below, above = middle - 100 * rate.low, 100 * rate.high - middle
        axes.errorbar(at, middle, [[below], [above]], fmt="o", color=colour, capsize=3, ms=6)
        axes.annotate(
            f"{rate.won}/{rate.tried}", (at, 100 * rate.high), xytext=(0, 3),
            textcoords="offset points", ha="center", fontsize=8,
        )  # fmt: skip
