"""A judge held to the truth: what it said of episodes, beside what is known of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.episode import Episode, Float32Array, RewardSignal, Verdict
from agent.errors import RewardUnavailable, UsageError
from agent.logbook import Bin, Confusion, Rate
from agent.logbook.reward_view import brier, calibration
from agent.logbook.truth import truths
from agent.protocols import RewardModel
from agent.registry import make_phase
from agent.reward import quality
from agent.reward.quality import Estimate, Roc
from agent.store.reader import ZarrReader
from agent.store.run import open_run

log = logging.getLogger(__name__)

PATIENCE = 5  # first episodes that a judge may leave without an answer


@dataclass(frozen=True, slots=True)
class Judged:
    """One episode, what a judge said of it, and what is known.

    success: the truth; None where nobody knows. by: "person", "world" or "". signal: None where the
    judge did not answer. phase: (views,) how far the task truly was; None where nobody knows.
    """

    run: str
    id: str
    task: str
    success: bool | None
    by: str
    signal: RewardSignal | None
    phase: Float32Array | None


@dataclass(frozen=True, slots=True)
class Quality:
    """How a judge did on some episodes whose outcome is known. name: of the task; "" for all.

    silent: not answered. accuracy: of those with a verdict. false_positives: failures it called
    success, of all failures; false_negatives: successes it called failure, of all successes.
    roc, bins, brier: of its success probability. order: value-order correlation, of successes.
    phase: Spearman of progress and true phase, of successes; phase_of_failures likewise.
    """

    name: str
    episodes: int
    silent: int
    confusion: Confusion
    accuracy: Rate
    false_positives: Rate
    false_negatives: Rate
    roc: Roc | None
    bins: tuple[Bin, ...]
    brier: float | None
    order: Estimate | None
    phase: Estimate | None
    phase_of_failures: Estimate | None


@dataclass(frozen=True, slots=True)
class Appraisal:
    """A judge in all, and task by task. unknown: episodes whose outcome nobody knows.

    sources: which judges spoke, as they name themselves without their remarks.
    """

    whole: Quality
    tasks: tuple[Quality, ...]
    unknown: int
    sources: tuple[str, ...]


def judged(
    runs: Sequence[Path],
    judge: RewardModel | None = None,
    on_episode: Callable[[int], None] = lambda _: None,
    first: int | None = None,
) -> Iterator[Judged]:
    """Read runs episode by episode; `judge` judges again, None takes what the run recorded.

    first: only so many episodes of each run.
    Raises UsageError where there is no run, DataError for a damaged episode, RewardUnavailable for
    a judge that answers nothing of the first `PATIENCE` episodes, or of all.
    """
    done, answered = 0, judge is None
    for run in runs:
        reader = ZarrReader(run)
        phase_of = make_phase(str(open_run(run).settings.get("robot", {}).get("name", "")))
        for known in truths(run)[:first]:
            scored = reader.read(known.id)
            signal = scored.signal if judge is None else _asked(judge, scored.episode)
            answered = answered or signal is not None
            if not answered and done + 1 >= PATIENCE:
                raise _silent(done + 1)
            phase = None if phase_of is None else phase_of(scored.episode)
            task, done = scored.episode.task.name, done + 1
            yield Judged(run.name, known.id, task, known.success, known.by, signal, phase)
            on_episode(done)
    if done and not answered:
        raise _silent(done)


def appraise(found: Sequence[Judged], seed: int = 0) -> Appraisal:
    """Hold what was said against what is known. Raises UsageError where nothing is known."""
    known = [each for each in found if each.success is not None]
    if not known:
        raise UsageError(
            f"episodes whose outcome is known wanted, found none of {len(found)}; "
            "say it with: vlarl-agent episodes label RUN ID success|failure"
        )
    names = sorted({each.task for each in known})
    tasks = tuple(_quality(name, [e for e in known if e.task == name], seed) for name in names)
    spoke = {e.signal.source.split(";")[0] for e in known if e.signal is not None}
    unknown = len(found) - len(known)
    return Appraisal(_quality("", known, seed), tasks, unknown, tuple(sorted(spoke)))


def _quality(name: str, known: Sequence[Judged], seed: int) -> Quality:
    said = [(each, each.signal) for each in known if each.signal is not None]
    table = [(signal.verdict, bool(each.success)) for each, signal in said]
    counted = _confusion(table, {each.by for each in known})
    odds = [(signal.success_probability, bool(each.success)) for each, signal in said]
    right, known_verdicts = counted.true_success + counted.true_failure, counted.known
    won, lost = sum(real for _, real in table), sum(not real for _, real in table)
    of_won = [(each, signal) for each, signal in said if each.success]
    of_lost = [(each, signal) for each, signal in said if not each.success]
    return Quality(
        name=name,
        episodes=len(known),
        silent=len(known) - len(said),
        confusion=counted,
        accuracy=Rate.counted(right, known_verdicts),
        false_positives=Rate.counted(counted.false_success, lost),
        false_negatives=Rate.counted(counted.false_failure, won),
        roc=quality.roc([real for _, real in odds], [p for p, _ in odds], seed) if odds else None,
        bins=calibration(odds),
        brier=brier(odds),
        order=quality.mean([quality.order(signal.progress) for _, signal in of_won], seed),
        phase=_phases(of_won, seed),
        phase_of_failures=_phases(of_lost, seed),
    )


def _phases(said: Sequence[tuple[Judged, RewardSignal]], seed: int) -> Estimate | None:
    values = [
        quality.spearman(signal.progress, each.phase)
        for each, signal in said
        if each.phase is not None
    ]
    return quality.mean(values, seed)


def _confusion(table: Sequence[tuple[Verdict, bool]], by: set[str]) -> Confusion:
    return Confusion(
        "labels" if by == {"person"} else "world" if by == {"world"} else "labels and world",
        true_success=table.count((Verdict.SUCCESS, True)),
        false_success=table.count((Verdict.SUCCESS, False)),
        true_failure=table.count((Verdict.FAILURE, False)),
        false_failure=table.count((Verdict.FAILURE, True)),
        unknown=sum(verdict is Verdict.UNKNOWN for verdict, _ in table),
    )


def _asked(judge: RewardModel, episode: Episode) -> RewardSignal | None:
    try:
        return judge.score(episode)
    except RewardUnavailable as error:
        log.warning("episode %s: the judge did not answer: %s", episode.id, error)
        return None


def _silent(episodes: int) -> RewardUnavailable:
    return RewardUnavailable(
        f"an answer of the judge wanted, found none in {episodes} episodes, for the reasons above; "
        "see to the judge, and try again"
    )
