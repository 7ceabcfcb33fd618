"""When a judge's figures are believed: k of the last n views, a band of doubt, and refusals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.episode import Episode, Float32Array, Verdict
from agent.errors import UsageError
from agent.reward.calibration import Calibration, episode_score
from agent.settings import RewardSettings

USUAL_THETA = 0.5


@dataclass(frozen=True, slots=True)
class Bar:
    """Success is theta or more in k of the last n views."""

    theta: float
    k: int
    n: int


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is made of the figures. probability: of the k-th best of the last n views.

    why: what the verdict was refused for, "" where it was not.
    """

    verdict: Verdict
    probability: float
    why: str = ""


def bar_of(settings: RewardSettings, calibration: Calibration | None) -> Bar:
    """What was set, else what was calibrated, else one half in the last view.

    Raises UsageError where more views must agree than are asked.
    """
    known = calibration
    theta = settings.theta or (known.theta if known else USUAL_THETA)
    k = settings.agreeing or (known.k if known else 1)
    n = settings.last or (known.n if known else k)
    if k > n:
        raise UsageError(
            f"reward.agreeing: {n} or fewer wanted, as many as reward.last asks, found {k}"
        )
    return Bar(theta, k, n)


def rule(
    success: Float32Array, uncertainty: Float32Array, bar: Bar, settings: RewardSettings
) -> Ruling:
    """Success where k of the last n views reach theta; unknown a little below it, or in doubt.

    success, uncertainty: (views,), the last view at the end.
    """
    probability = episode_score(success, bar.k, bar.n)
    if probability >= bar.theta:
        verdict = Verdict.SUCCESS
    elif probability >= bar.theta - settings.unknown_band:
        verdict = Verdict.UNKNOWN
    else:
        verdict = Verdict.FAILURE
    if float(np.mean(uncertainty[-bar.n :])) > settings.most_uncertain:
        return Ruling(Verdict.UNKNOWN, probability, "the judge is in doubt")
    return Ruling(verdict, probability)


def believed(
    ruling: Ruling, first: float, theta: float, episode: Episode, least_motion: float
) -> Ruling:
    """Refuse a success that was there before the first move, or came without any.

    first: probability of success in the first view. least_motion: in full-scale moves.
    """
    if ruling.verdict is not Verdict.SUCCESS:
        return ruling
    if first >= theta or not episode.steps:
        return Ruling(Verdict.UNKNOWN, ruling.probability, "refused: success before the first move")
    if motion(episode) < least_motion or not felt(episode):
        return Ruling(Verdict.UNKNOWN, ruling.probability, "refused: success without motion")
    return ruling


def motion(episode: Episode) -> float:
    """Length of the tool's path as it was commanded, in full-scale moves."""
    moves = [action.delta[:3] for step in episode.steps for action in step.applied]
    return float(sum(np.linalg.norm(move) for move in moves))


def felt(episode: Episode) -> bool:
    """Whether the arm itself felt that it moved."""
    start = episode.steps[0].observation.proprio
    return any(not np.allclose(step.track, start, atol=1e-4) for step in episode.steps)
