"""How sure a success count is: an interval, a paired test, and a chance of being worse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from agent.errors import UsageError

Float64Array = NDArray[np.float64]

MOST_NODES = 1024


@dataclass(frozen=True, slots=True)
class Interval:
    """Bounds of a success rate, 0 .. 1."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Paired:
    """Two policies on the same start states: who succeeded where, and the exact test of it.

    p_value: two-sided, of the hypothesis that both succeed equally often.
    """

    both: int
    only_first: int
    only_second: int
    neither: int
    p_value: float


def wilson(successes: int, trials: int, confidence: float = 0.95) -> Interval:
    """Give the score interval of a success rate; with no trials it is the whole of [0, 1].

    E. B. Wilson, JASA 22 (1927) 209-212:
    (p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n), without continuity correction.
    Raises UsageError for counts that cannot be.
    """
    _countable(successes, trials)
    if not 0 < confidence < 1:
        raise UsageError(f"confidence: wanted above 0 and below 1, found {confidence}")
    if trials == 0:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    rate, z2 = successes / trials, z * z
    middle = rate + z2 / (2 * trials)
    half = z * math.sqrt(rate * (1 - rate) / trials + z2 / (4 * trials * trials))
    scale = 1 + z2 / trials
    # At 0 and at all successes one bound is exactly 0 or 1; rounding must not say otherwise.
    low = 0.0 if successes == 0 else (middle - half) / scale
    high = 1.0 if successes == trials else (middle + half) / scale
    return Interval(low, high)


def paired(first: Sequence[bool], second: Sequence[bool]) -> Paired:
    """Compare two policies that tried the same states in the same order, by McNemar's exact test.

    Q. McNemar, Psychometrika 12 (1947) 153-157, in its exact form: of the states on which the two
    differ, each falls to either side with 1/2, so the smaller side is Binomial(n, 1/2) and
    p = min(1, 2 P(X <= smaller)). Raises UsageError for lists of unequal length.
    """
    if len(first) != len(second):
        raise UsageError(
            f"paired comparison: wanted the same states twice, found {len(first)} and {len(second)}"
        )
    pairs = list(zip(map(bool, first), map(bool, second), strict=True))
    only_first, only_second = pairs.count((True, False)), pairs.count((False, True))
    differing, smaller = only_first + only_second, min(only_first, only_second)
    tail = sum(math.comb(differing, k) for k in range(smaller + 1))
    p_value = min(1.0, 2 * tail / 2**differing)
    both, neither = pairs.count((True, True)), pairs.count((False, False))
    return Paired(both, only_first, only_second, neither, p_value)


def probability_worse(old: tuple[int, int], new: tuple[int, int], by: float = 0.0) -> float:
    """Give P(new rate < old rate - by) under uniform priors; old and new are (successes, trials).

    Each rate's posterior is Beta(1 + successes, 1 + failures) (Bayes's rule with a conjugate prior;
    Gelman et al., Bayesian Data Analysis, section 2.4), so what is wanted is the integral over the
    old rate p from `by` to 1 of its density at p times the new rate's distribution at p - by.
    Both are polynomials: Gauss-Legendre nodes give the integral exactly, with no random numbers,
    up to about two thousand trials in all, and to many digits beyond.
    Raises UsageError for counts that cannot be.
    """
    _countable(*old)
    _countable(*new)
    if not 0 <= by <= 1:
        raise UsageError(f"worse by: wanted a drop from 0 to 1, found {by}")
    degree = old[1] + new[1] + 1
    x, weights = np.polynomial.legendre.leggauss(min(degree // 2 + 1, MOST_NODES))
    width = 1.0 - by
    p = by + width * (x + 1) / 2
    density = (old[1] + 1) * _binomial(old[1], np.array([old[0]]), p)[:, 0]
    # A Beta(1 + s, 1 + f) rate lies below q as often as n + 1 tosses of chance q give > s heads.
    heads = np.arange(new[0] + 1, new[1] + 2)
    below = _binomial(new[1] + 1, heads, p - by).sum(axis=1)
    return float(np.clip(width / 2 * np.sum(weights * density * below), 0.0, 1.0))


def _binomial(trials: int, counts: NDArray[np.int64], chance: Float64Array) -> Float64Array:
    """Binomial probabilities, (chances, counts)."""
    chance = np.clip(chance, 1e-300, 1 - 1e-16)  # a logarithm of 0 is no number
    ways = np.array(
        [math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1) for k in counts]
    )
    logs = np.log(chance)[:, None] * counts + np.log1p(-chance)[:, None] * (trials - counts)
    out: Float64Array = np.exp(ways + logs)
    return out


def _countable(successes: int, trials: int) -> None:
    if not 0 <= successes <= trials:
        raise UsageError(
            f"success count: wanted 0 .. {trials} of {trials} trials, found {successes}"
        )
