"""Monotonic time, and pacing to a rate."""

from __future__ import annotations

import time
from collections.abc import Callable


def now_s() -> float:
    """Seconds on the monotonic clock: the only clock that paces and ages anything."""
    return time.monotonic()


class Pace:
    """Keeps a loop to a rate; after a late turn it starts anew instead of rushing to catch up."""

    def __init__(
        self,
        hz: float,
        clock: Callable[[], float] = now_s,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._period_s = 1.0 / hz
        self._clock = clock
        self._sleep = sleep
        self._next_s: float | None = None

    def wait(self) -> float:
        """Sleep until the next turn is due; returns how late this one is, in seconds."""
        now = self._clock()
        due = now if self._next_s is None else self._next_s
        late_s = max(0.0, now - due)
        if due > now:
            self._sleep(due - now)
        self._next_s = (now if late_s > self._period_s else due) + self._period_s
        return late_s
