"""The judge that repeats the world's own verdict: ground truth in simulation."""

from __future__ import annotations

import numpy as np

from agent.episode import Episode, RewardSignal, Terminated, Verdict


class OutcomeJudge:
    """Success is the ending "success" and nothing else; there is no progress in between."""

    def score(self, episode: Episode) -> RewardSignal:
        """Judge by the ending: stopped and human endings are unknown, the rest is failure."""
        if isinstance(episode.ending, Terminated):
            won = episode.ending.reason == "success"
            verdict = Verdict.SUCCESS if won else Verdict.FAILURE
        else:
            timeout = episode.ending.reason == "timeout"
            verdict = Verdict.FAILURE if timeout else Verdict.UNKNOWN
        progress = np.zeros(len(episode.steps) + 1, np.float32)
        success = verdict is Verdict.SUCCESS
        progress[-1] = float(success)
        probability = 0.5 if verdict is Verdict.UNKNOWN else float(success)
        return RewardSignal(progress, probability, verdict, "outcome/1")
