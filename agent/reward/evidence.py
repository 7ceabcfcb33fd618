"""When odd outcomes are too many for chance, counted as they come.

The rate of false alarms, alpha, is stated beforehand. A bet is made on every outcome: the stake
grows by the likelihood ratio of "odd ones come at rate q1" against "at rate q0 or less", and 1/N
new stake is laid before each, since nobody knows when things went wrong:

    R_t = (R_{t-1} + 1/N) * (q1/q0 where outcome t is odd, (1-q1)/(1-q0) where it is not)

As long as odd ones come at rate q0 or less, R_t - t/N is a supermartingale that begins at 0, so by
Ville's inequality R reaches 1/alpha within N outcomes with a probability of alpha at most, however
often one looks (Shin, Ramdas and Rinaldo, arXiv 2203.03532).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agent.interval import wilson

Floats = NDArray[np.float64]

LEAST = 0.02  # no habit is taken for rarer than this
BLIND = 0.4  # what is odd this often tells nothing
GRID = np.linspace(0.0, 1.0, 51)


class Bet:
    """Counts one kind of oddness. rate: how often it comes where all is well; N = `within`."""

    def __init__(self, rate: float, within: int, alpha: float) -> None:
        self.rate = rate
        self.odd, self.seen = 0, 0
        self._stake = 0.0
        self._fresh, self._wanted = 1.0 / max(within, 1), 1.0 / alpha
        worse = (1.0 + rate) / 2.0
        self._odd, self._even = worse / rate, (1.0 - worse) / (1.0 - rate)

    @property
    def over(self) -> bool:
        """Whether chance is no explanation any more."""
        return self._stake >= self._wanted

    def take(self, *, odd: bool) -> None:
        """Count one outcome."""
        self.seen += 1
        self.odd += odd
        self._stake = (self._stake + self._fresh) * (self._odd if odd else self._even)


def usual_rate(odd: int, seen: int) -> float:
    """How often something odd may come where all is well, going by a count: Wilson's upper bound.

    The bound is one-sided, 95 %. Without a count nothing is known, and the rate is 1.
    """
    return max(LEAST, wilson(odd, seen, confidence=0.9).high)


def distance(found: ArrayLike, successes: ArrayLike, failures: ArrayLike) -> float:
    """Kolmogorov and Smirnov's distance of scores from the nearest mixture of two samples.

    A policy that gets better changes how many successes there are, not what they look like; so
    the share of successes is free, and the smallest distance over all shares counts.
    """
    values, good, bad = (np.sort(np.asarray(each, float)) for each in (found, successes, failures))
    points = np.unique(np.concatenate([values, good, bad]))
    ours, of_good, of_bad = (
        np.searchsorted(each, points, "right") / len(each) for each in (values, good, bad)
    )
    mixed = GRID[:, None] * of_good + (1.0 - GRID[:, None]) * of_bad
    return float(np.abs(mixed - ours).max(axis=1).min())


def farthest(found: int, successes: int, failures: int, alpha: float) -> float:
    """What `distance` stays under with a probability of 1 - alpha where all is well.

    Smirnov's bound for two samples, sqrt(ln(2 / alpha) / 2 * (n + m) / (n m)), with m the smaller
    of the two samples known; the free share only makes the distance smaller.
    """
    n, m = found, min(successes, failures)
    return math.sqrt(0.5 * math.log(2.0 / alpha) * (n + m) / (n * m))
