"""How a loop kept its time: rate reached, periods over budget, and where the time went."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.episode import Episode

Float64Array = NDArray[np.float64]

OVER = 1.1  # of the period that its control steps should take
# From capture to answer holds the picture's own age and the policy; the last is the whole way.
SPANS = ("observed to decided", "decided to sent", "sent to applied", "observed to applied")


@dataclass(frozen=True, slots=True)
class Pace:
    """The moments of one episode's n decisions (monotonic s, NaN where nobody measured).

    moves: control steps each was carried out in. limits: names of those each was held to.
    by_hand: a person had the arm, so its time is nobody's fault.
    """

    observed_s: Float64Array
    decided_s: Float64Array
    sent_s: Float64Array
    applied_s: Float64Array
    moves: NDArray[np.int64]
    by_hand: NDArray[np.bool_]
    limits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """How long something took, s, over `count` times."""

    p50_s: float
    p99_s: float
    most_s: float
    count: int


@dataclass(frozen=True, slots=True)
class Cadence:
    """wanted_hz, achieved_hz: control steps a second, NaN where unknown.

    over_budget: share of decisions that took over 1.1 of their control steps' time; NaN likewise.
    spans: by the names in SPANS, those that were measured. limits: decisions held to each.
    """

    episodes: int
    decisions: int
    control_steps: int
    wanted_hz: float
    achieved_hz: float
    over_budget: float
    spans: Mapping[str, Span]
    limits: Mapping[str, int]
    by_hand: int


def pace_of(episode: Episode) -> Pace:
    """Take the moments out of an episode."""
    steps = episode.steps
    return Pace(
        observed_s=np.array([step.observation.time_s for step in steps], np.float64),
        decided_s=np.array([step.times.decided_s for step in steps], np.float64),
        sent_s=np.array([step.times.sent_s for step in steps], np.float64),
        applied_s=np.array([step.times.applied_s for step in steps], np.float64),
        moves=np.array([len(step.applied) for step in steps], np.int64),
        by_hand=np.array([step.by_hand for step in steps], np.bool_),
        limits=tuple(str(each.name).lower() for step in steps for each in step.limits),
    )


def cadence(paces: Iterable[Pace], control_hz: float = math.nan) -> Cadence:
    """Add up episodes. control_hz: the rate that was wanted."""
    paces = tuple(paces)
    took_s, moved = _periods(paces)
    spans = {name: span for name, span in zip(SPANS, _spans(paces), strict=True) if span.count}
    total_s = float(took_s.sum())
    late = took_s > OVER * moved / control_hz
    return Cadence(
        episodes=len(paces),
        decisions=sum(len(pace.moves) for pace in paces),
        control_steps=int(sum(pace.moves.sum() for pace in paces)),
        wanted_hz=control_hz,
        achieved_hz=float(moved.sum()) / total_s if total_s > 0 else math.nan,
        over_budget=float(late.mean()) if len(late) and math.isfinite(control_hz) else math.nan,
        spans=spans,
        limits=dict(Counter(name for pace in paces for name in pace.limits)),
        by_hand=int(sum(pace.by_hand.sum() for pace in paces)),
    )


def said(found: Cadence) -> str:
    """Say it in a few lines."""
    lines = [
        f"control rate   {found.achieved_hz:.1f} Hz"
        + (f" of {found.wanted_hz:g} Hz wanted" if math.isfinite(found.wanted_hz) else "")
        + (
            f"; {100 * found.over_budget:.0f} % of {found.decisions} decisions over budget"
            if math.isfinite(found.over_budget)
            else f" over {found.decisions} decisions"
        )
    ]
    lines += [
        f"{name:<20} p50 {1e3 * span.p50_s:7.1f} ms   p99 {1e3 * span.p99_s:7.1f} ms   "
        f"most {1e3 * span.most_s:7.1f} ms"
        for name, span in found.spans.items()
    ]
    if found.limits:
        held = ", ".join(f"{name} {count}" for name, count in sorted(found.limits.items()))
        lines.append(f"held to limits       {held}")
    if found.by_hand:
        lines.append(f"by hand              {found.by_hand} decisions")
    return "\n".join(lines)


def _periods(paces: Sequence[Pace]) -> tuple[Float64Array, NDArray[np.int64]]:
    """How long each decision but an episode's last took, and its control steps."""
    took, moved = [np.zeros(0)], [np.zeros(0, np.int64)]
    for pace in paces:
        began_s = np.where(np.isfinite(pace.sent_s), pace.sent_s, pace.decided_s)
        apart_s = np.diff(began_s)
        # A person's time is not the loop's.
        counts = np.isfinite(apart_s) & ~pace.by_hand[:-1] & ~pace.by_hand[1:]
        took.append(apart_s[counts])
        moved.append(pace.moves[:-1][counts])
    return np.concatenate(took), np.concatenate(moved)


def _spans(paces: Sequence[Pace]) -> tuple[Span, ...]:
    none = [np.zeros(0)]
    return (
        _span(np.concatenate(none + [p.decided_s - p.observed_s for p in paces])),
        _span(np.concatenate(none + [p.sent_s - p.decided_s for p in paces])),
        _span(np.concatenate(none + [p.applied_s - p.sent_s for p in paces])),
        _span(np.concatenate(none + [p.applied_s - p.observed_s for p in paces])),
    )


def _span(seconds: Float64Array) -> Span:
    known = seconds[np.isfinite(seconds)]
    if not len(known):
        return Span(math.nan, math.nan, math.nan, 0)
    p50_s, p99_s = (float(value) for value in np.percentile(known, [50, 99]))
    return Span(p50_s, p99_s, float(known.max()), len(known))
