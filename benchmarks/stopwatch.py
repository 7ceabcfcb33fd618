"""Wall and processor time of a piece of work."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Spent:
    """Time that passed, and processor time of all threads, in seconds."""

    wall_s: float
    cpu_s: float

    def per(self, count: int) -> Spent:
        """The share of one of `count` equal things."""
        return Spent(self.wall_s / count, self.cpu_s / count)


def spent_on(work: Work) -> Spent:
    """Do the work once, timed."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def median_of(spent: Sequence[Spent]) -> Spent:
    """Median of either time."""
    return Spent(
        statistics.median(each.wall_s for each in spent),
        statistics.median(each.cpu_s for each in spent),
    )
