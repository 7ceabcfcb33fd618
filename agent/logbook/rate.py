"""A success count with its interval."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from agent.interval import wilson


@dataclass(frozen=True, slots=True)
class Rate:
    """won of tried, with the 95 % Wilson interval [low, high], 0 .. 1."""

    won: int
    tried: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """Successes of all tries; 0 where nothing was tried."""
        return self.won / self.tried if self.tried else 0.0

    @classmethod
    def of(cls, outcomes: Iterable[bool | None]) -> Rate:
        """Count outcomes; what nobody could judge (None) is left out."""
        known = [outcome for outcome in outcomes if outcome is not None]
        return cls.counted(sum(known), len(known))

    @classmethod
    def counted(cls, won: int, tried: int) -> Rate:
        """From a count that was made already."""
        interval = wilson(won, tried)
        return cls(won, tried, interval.low, interval.high)
