"""Calibrating a judge on recorded runs: every episode whose truth is known is judged anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from agent.episode import Episode, Verdict
from agent.errors import RewardUnavailable, UsageError
from agent.labelling import robot_of_run
from agent.logbook.truth import truths
from agent.reward import probes, witness
from agent.reward.calibration import Calibration, Norm
from agent.reward.calibrator import LIMIT, fit
from agent.reward.judge import FrameJudge
from agent.reward.reader import Reader
from agent.reward.segments import layout_of
from agent.settings import RewardSettings
from agent.store.reader import ZarrReader

# Five probes cost five judgements; three in a hundred unusual failures show in so many.
MOST_PROBED = 60


@dataclass(frozen=True, slots=True)
class Heard:
    """One episode of known truth. raw: the judge's uncalibrated score of it."""

    run: Path
    id: str
    task: str
    true: bool
    raw: float
    felt: tuple[float, ...]


def calibrate_runs(
    runs: Sequence[Path],
    reader: Reader,
    settings: RewardSettings,
    *,
    limit: float = LIMIT,
    on_episode: Callable[[int], None] = lambda _: None,
) -> Calibration:
    """Fit curve and bar, and note what is usual of this judge, for a court to go by.

    settings: how episodes are read; `theta` in it is left aside. Raises UsageError where no truth
    is known, DataError where there is too little of it, RewardUnavailable where the judge does not
    answer.
    """
    told = settings.model_copy(update={"theta": 0.0})
    judge = FrameJudge(reader, told)
    heard: list[Heard] = []
    words: dict[str, None] = {}
    for run in runs:
        robot, store = robot_of_run(run), ZarrReader(run)
        layout = layout_of(robot.card)
        # What the robot can be asked besides: the words of wrong instructions.
        words |= dict.fromkeys(card.instruction for card in robot.tasks())
        for known in truths(run):
            if known.success is None:
                continue
            episode = store.read(known.id).episode
            raw = judge.score(episode).success_probability
            felt = witness.signs(episode, layout)
            heard.append(Heard(run, known.id, episode.task.name, known.success, raw, felt))
            on_episode(len(heard))
    if not heard:
        raise UsageError(
            "episodes whose outcome is known wanted, found none; "
            "say it with: vlarl-agent episodes label RUN ID success|failure"
        )
    fitted = fit(
        [each.raw for each in heard],
        [each.true for each in heard],
        reader.id,
        views=(judge.bar.k, judge.bar.n),
        limit=limit,
    )
    return replace(fitted, norm=_norm(fitted, heard, FrameJudge(reader, told, fitted), list(words)))


def _norm(
    fitted: Calibration, heard: Sequence[Heard], judge: FrameJudge, words: Sequence[str]
) -> Norm:
    given = fitted.probability([each.raw for each in heard])
    passed = [each for each, chance in zip(heard, given, strict=True) if chance >= fitted.theta]
    known = [(each.task, each.felt) for each in heard if each.true]
    said = [(each.task, each.felt) for each in passed]
    counts: dict[str, tuple[int, int]] = {}
    for each in passed[:: max(1, len(passed) // MOST_PROBED)]:
        for answer in _probed(judge, ZarrReader(each.run).read(each.id).episode, words):
            failed, asked = counts.get(answer.name, (0, 0))
            counts[answer.name] = (failed + (answer.passed is False), asked + 1)
    return replace(
        fitted.norm,
        probes=counts,
        disagreed=witness.habit(known, said),
        witness=witness.ranges(known),
    )


def _probed(judge: FrameJudge, episode: Episode, words: Sequence[str]) -> list[probes.Answer]:
    """Answers to the probes of a success, () where a refusal makes it none after all."""
    signal = judge.score(episode)
    if signal.verdict is not Verdict.SUCCESS:
        return []
    answers = probes.ask(judge, episode, signal, words)
    silent = [answer for answer in answers if answer.passed is None]
    if silent:
        raise RewardUnavailable(silent[0].source)
    return list(answers)
