"""The person as a judge: always, or only where another judge does not know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from agent.episode import Episode, RewardSignal, Terminated, Verdict
from agent.protocols import RewardModel

SOURCE = "operator/1"
# Asks a person and waits a while; unknown where nobody answered, or nobody can tell.
Person = Callable[[str], Verdict]


class OperatorJudge:
    """Success is what a person says.

    spoken: the robot's endings are a person's own words already, and need no question.
    """

    def __init__(self, ask: Person, *, spoken: bool) -> None:
        self._ask, self._spoken = ask, spoken

    def score(self, episode: Episode) -> RewardSignal:
        """Take the word that ended the episode, or ask for one."""
        if self._spoken and isinstance(episode.ending, Terminated):
            return _said(episode, _word(episode.ending))
        return _said(episode, self._ask(question_of(episode)))


class Heeding:
    """Another judge; a word of the person at the arm that ended an episode goes before it."""

    def __init__(self, judge: RewardModel) -> None:
        self._judge = judge

    def score(self, episode: Episode) -> RewardSignal:
        """Judge, and let a person overrule. Raises RewardUnavailable as the other judge does."""
        signal = self._judge.score(episode)
        if not isinstance(episode.ending, Terminated):
            return signal
        return _overruled(signal, _word(episode.ending), f"{SOURCE} over {signal.source}")


class Asking:
    """Another judge; where its verdict is unknown, a person is asked."""

    def __init__(self, judge: RewardModel, ask: Person) -> None:
        self._judge, self._ask = judge, ask

    def score(self, episode: Episode) -> RewardSignal:
        """Judge, or ask. Raises RewardUnavailable as the other judge does."""
        signal = self._judge.score(episode)
        if signal.verdict is not Verdict.UNKNOWN:
            return signal
        verdict = self._ask(question_of(episode))
        if verdict is Verdict.UNKNOWN:
            return signal
        return _overruled(signal, verdict, f"{SOURCE} where unknown to {signal.source}")


def question_of(episode: Episode) -> str:
    """What a person is asked about an episode."""
    return f"episode {episode.id}: did the robot {episode.task.instruction!r}?"


def _word(ending: Terminated) -> Verdict:
    return Verdict.SUCCESS if ending.reason == "success" else Verdict.FAILURE


def _overruled(signal: RewardSignal, verdict: Verdict, source: str) -> RewardSignal:
    probability = float(verdict is Verdict.SUCCESS)
    return replace(signal, verdict=verdict, success_probability=probability, source=source)


def _said(episode: Episode, verdict: Verdict) -> RewardSignal:
    progress = np.zeros(len(episode.steps) + 1, np.float32)
    progress[-1] = float(verdict is Verdict.SUCCESS)
    probability = 0.5 if verdict is Verdict.UNKNOWN else float(progress[-1])
    return RewardSignal(progress, probability, verdict, SOURCE)
