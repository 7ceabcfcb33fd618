"""From what happened to rows of figures; nothing here depends on when it is asked."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.cadence import SPANS, cadence, pace_of
from agent.episode import ScoredEpisode, UpdateReport, Verdict
from agent.evaluation import Trial
from agent.interval import wilson
from agent.sinks.row import Row


def episode_row(number: int, scored: ScoredEpisode, before: Sequence[float]) -> Row:
    """An episode. before: `episode/success` of the ones that count as recent, oldest first."""
    episode, signal = scored.episode, scored.signal
    steps, pace = episode.steps, pace_of(episode)
    success = float(signal.verdict is Verdict.SUCCESS)
    kept_time = cadence([pace])
    metrics = {
        "episode/success": success,
        "episode/success_recent": (sum(before) + success) / (len(before) + 1),
        "episode/success_probability": float(signal.success_probability),
        "episode/progress_last": float(signal.progress[-1]),
        "episode/decisions": float(len(steps)),
        "episode/control_steps": float(episode.control_steps),
        "episode/seconds": episode.last.time_s - steps[0].observation.time_s if steps else 0.0,
        "episode/executed": _executed(scored),
        "episode/limited": _share([bool(step.limits) for step in steps]),
        "episode/by_hand": _share([step.by_hand for step in steps]),
        "episode/log_prob": _log_prob(scored),
        "episode/control_hz": kept_time.achieved_hz,
    }
    for name, span in (("answer", SPANS[0]), ("latency", SPANS[3])):
        found = kept_time.spans.get(span)
        metrics[f"episode/{name}_p99_s"] = math.nan if found is None else found.p99_s
    labels = {
        "task": episode.task.name,
        "adapter": episode.adapter,
        "verdict": str(signal.verdict),
        "ending": episode.ending.reason,
        "judge": signal.source,
    }
    moments = (
        (SPANS[0], pace.decided_s - pace.observed_s),
        (SPANS[1], pace.sent_s - pace.decided_s),
        (SPANS[2], pace.applied_s - pace.sent_s),
        (SPANS[3], pace.applied_s - pace.observed_s),
    )
    spans_s = {name: _known(values) for name, values in moments}
    return Row("episode", number, episode.id, labels, metrics, Counter(pace.limits), spans_s)


def update_row(report: UpdateReport) -> Row:
    """An update: what its report measured, and what became of it."""
    labels = {"adapter": report.adapter, "parent": report.parent, "why": report.why}
    said = {"update/kept": float(report.kept), "update/episodes": float(len(report.episodes))}
    return Row("update", report.number, f"{report.number:04d}", labels, {**report.metrics, **said})


def evaluation_row(number: int, name: str, trials: Sequence[Trial]) -> Row:
    """A finished evaluation. name: its phase and adapter, such as "before-base"."""
    won, tried = sum(trial.success for trial in trials), len(trials)
    bounds = wilson(won, tried)
    phase, _, adapter = name.partition("-")
    metrics = {
        "evaluation/success_rate": won / tried if tried else math.nan,
        "evaluation/low": bounds.low,
        "evaluation/high": bounds.high,
        "evaluation/trials": float(tried),
    }
    return Row("evaluation", number, name, {"phase": phase, "adapter": adapter}, metrics)


def _executed(scored: ScoredEpisode) -> float:
    return _share([
        bool(done) for step in scored.episode.steps for done in step.executed[: len(step.applied)]
    ])  # fmt: skip


def _log_prob(scored: ScoredEpisode) -> float:
    found = [step.decision.log_probs for step in scored.episode.steps]
    sampled = np.concatenate([np.zeros(0, np.float32), *found])
    return float(sampled.mean()) if sampled.size else math.nan


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags) if flags else math.nan


def _known(seconds: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(value) for value in seconds[np.isfinite(seconds)])
