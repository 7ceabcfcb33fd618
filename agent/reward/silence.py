"""A judge that does not answer: the episode is kept unlabelled, and too many in a row end a run."""

from __future__ import annotations

import logging

import numpy as np

from agent.episode import Episode, RewardSignal, ScoredEpisode, Verdict
from agent.errors import RewardUnavailable
from agent.protocols import RewardModel

log = logging.getLogger(__name__)

UNLABELLED = "unlabelled: "
LONGEST = 300  # characters of a reason


class Forbearing:
    """Another judge; where that one does not answer, the verdict is unknown, with the reason."""

    def __init__(self, judge: RewardModel) -> None:
        self._judge = judge

    @property
    def judge(self) -> RewardModel:
        """The judge that is borne with."""
        return self._judge

    def score(self, episode: Episode) -> RewardSignal:
        """Judge, or say why nobody could. Never raises RewardUnavailable."""
        try:
            return self._judge.score(episode)
        except RewardUnavailable as error:
            why = " ".join(str(error).split())[:LONGEST]
            log.warning("episode %s stays unlabelled and is not learned from: %s", episode.id, why)
            return unlabelled(episode, why)


class SilenceWatch:
    """Ends a run once a judge has not answered for so many episodes in a row; all are kept."""

    def __init__(self, most_episodes: int) -> None:
        self._most = most_episodes
        self._in_a_row = 0

    def recall(self, scored: ScoredEpisode) -> None:
        """Begin anew: whoever resumes a run has had a look at its judge."""

    def note(self, scored: ScoredEpisode) -> None:
        """Count. Raises RewardUnavailable for one too many."""
        source = scored.signal.source
        self._in_a_row = self._in_a_row + 1 if source.startswith(UNLABELLED) else 0
        if self._in_a_row >= self._most:
            raise RewardUnavailable(
                f"{self._in_a_row} episodes in a row have no verdict ({source}); they are kept. "
                "See to the judge, then go on with: vlarl-agent run --resume RUN"
            )


def unlabelled(episode: Episode, why: str) -> RewardSignal:
    """An episode of which nobody could say how it went."""
    progress = np.zeros(len(episode.steps) + 1, np.float32)
    return RewardSignal(progress, 0.5, Verdict.UNKNOWN, f"{UNLABELLED}{why}")
