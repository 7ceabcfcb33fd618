"""Monotonic time: the only clock that paces and ages anything."""

from __future__ import annotations

import time


def now_s() -> float:
    """Seconds on the monotonic clock."""
    return time.monotonic()
