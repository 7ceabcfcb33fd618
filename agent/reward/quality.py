"""How good a judge is, in numbers with intervals: area under ROC, order of progress, phase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agent.errors import UsageError

Float64Array = NDArray[np.float64]
RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure of n episodes, with its 95 % bootstrap interval [low, high]."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Roc:
    """The ROC curve, both (points,), and the area under it."""

    false_positive_rate: Float64Array
    true_positive_rate: Float64Array
    area: Estimate


def roc(truth: Sequence[bool], score: Sequence[float], seed: int = 0) -> Roc | None:
    """The curve of a score against the truth; None where only one of the two truths occurred.

    The interval is of `RESAMPLES` resamples of the successes and of the failures, each among
    themselves (percentile bootstrap; Efron and Tibshirani 1993).
    """
    from sklearn.metrics import roc_auc_score, roc_curve

    real, said = np.asarray(truth, np.bool_), np.asarray(score, np.float64)
    if real.shape != said.shape:
        raise UsageError(f"a score for each truth wanted, found {said.shape} for {real.shape}")
    if real.all() or not real.any():
        return None
    won, lost = said[real], said[~real]
    rng = np.random.default_rng(seed)
    again = [
        _area(rng.choice(won, len(won)), rng.choice(lost, len(lost))) for _ in range(RESAMPLES)
    ]
    low, high = np.percentile(again, [2.5, 97.5])
    area = Estimate(float(roc_auc_score(real, said)), float(low), float(high), len(real))
    false, true, _ = roc_curve(real, said, drop_intermediate=False)
    return Roc(np.asarray(false, np.float64), np.asarray(true, np.float64), area)


def order(progress: ArrayLike) -> float:
    """Value-order correlation: Spearman's of an episode's progress and the order of its views.

    Y. J. Ma et al., "Vision Language Models are In-Context Value Learners", 2024.
    """
    values = np.asarray(progress, np.float64)
    return spearman(values, np.arange(len(values)))


def spearman(first: ArrayLike, second: ArrayLike) -> float:
    """Spearman's rank correlation; 0 where either never changes, since that tells nothing."""
    from scipy.stats import spearmanr

    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(spearmanr(a, b).statistic)


def mean(values: Sequence[float], seed: int = 0) -> Estimate | None:
    """The mean of episodes' figures; None of none. Its interval is a percentile bootstrap's."""
    if not values:
        return None
    known, rng = np.asarray(values, np.float64), np.random.default_rng(seed)
    again = known[rng.integers(0, len(known), (RESAMPLES, len(known)))].mean(1)
    low, high = np.percentile(again, [2.5, 97.5])
    return Estimate(float(known.mean()), float(low), float(high), len(known))


def _area(won: Float64Array, lost: Float64Array) -> float:
    """How often a success scores above a failure, a draw counting half (Mann and Whitney 1947)."""
    ranked = np.sort(lost)
    below, upto = np.searchsorted(ranked, won, "left"), np.searchsorted(ranked, won, "right")
    return float((below + upto).mean() / (2 * len(lost)))
