"""Numbers of the log in words, the same wherever people read them."""

from __future__ import annotations

import math

from agent.logbook.rate import Rate


def rate(found: Rate | None) -> str:
    """A success count with its interval, in per cent."""
    if found is None or not found.tried:
        return "-"
    bounds = f"[{100 * found.low:.0f}, {100 * found.high:.0f}]"
    return f"{found.won}/{found.tried} {100 * found.share:.0f} % {bounds}"


def size(count: float) -> str:
    """Bytes in the unit that suits."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def clock(when: str) -> str:
    """A time of UTC, to the second; "-" where it is unknown."""
    return when[:19].replace("T", " ") if when else "-"


def number(value: float | None, digits: int = 3) -> str:
    """A figure, or "-" where there is none."""
    return "-" if value is None or math.isnan(value) else f"{value:.{digits}f}"
