"""The acting temperature of the next batch, moved so that about half of its episodes succeed."""

from __future__ import annotations

import math

# Where a yes or no varies most, p (1 - p), a policy gradient sees most.
WANTED = 0.5
DAMPING = 4.0
FARTHEST = 2.0  # times hotter or colder than the run was told, at most


def next_temperature(now: float, start: float, won: int, tried: int) -> float:
    """Act hotter after a batch that mostly succeeded, colder after one that mostly failed.

    The success rule of evolution strategies (Rechenberg 1973), in the form of Igel, Hansen and
    Roth (2007): sigma <- sigma exp((p - w) / ((1 - w) d)), for the temperature, which is how far
    from its best answer a policy tries. start: the temperature that the run was told.
    """
    if not tried:
        return now
    moved = now * math.exp((won / tried - WANTED) / ((1.0 - WANTED) * DAMPING))
    return min(max(moved, start / FARTHEST), start * FARTHEST)
