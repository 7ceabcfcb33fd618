"""Numbers as people read them: with their unit, their interval, and a dash for none."""

from __future__ import annotations

import math
from datetime import UTC, datetime

NONE = "-"
LEVELS = "▁▂▃▄▅▆▇█"


def number(value: float | None, digits: int = 2, *, sign: bool = False) -> str:
    """A figure with so many decimals; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return NONE if value is None or math.isnan(value) else str(value)
    return f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"


def percent(value: float | None) -> str:
    """A share of 1 in per cent."""
    return NONE if value is None or math.isnan(value) else f"{100 * value:.0f} %"


def rate(won: int, tried: int, low: float, high: float) -> str:
    """Successes with their rate and 95 % interval."""
    if not tried:
        return "0/0"
    return f"{won}/{tried}  {100 * won / tried:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"


def size(count: float) -> str:
    """Bytes in the unit that fits."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def seconds(value: float | None) -> str:
    """A time in the unit that fits."""
    if value is None or not math.isfinite(value):
        return NONE
    if value < 1:
        return f"{1000 * value:.0f} ms" if value >= 0.01 else f"{1000 * value:.1f} ms"
    if value < 120:
        return f"{value:.1f} s"
    minutes, left = divmod(int(value), 60)
    if minutes < 100:
        return f"{minutes}:{left:02d} min"
    return f"{minutes // 60}:{minutes % 60:02d} h"


def moment(stamp: str) -> str:
    """A time of UTC, ISO 8601, as this machine's clock shows it."""
    try:
        when = datetime.fromisoformat(stamp)
    except ValueError:
        return stamp[:16]
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return when.astimezone().strftime("%m-%d %H:%M:%S")


def cut(text: str, width: int) -> str:
    """A text cut to a width, with an ellipsis where something is missing."""
    text = " ".join(text.split())
    if len(text) <= width:
        return text
    return text[: max(width - 1, 0)] + "…" if width > 0 else ""


def bar(share: float, width: int) -> str:
    """A bar of so many cells, filled to a share of 1 in halves of a cell."""
    if not math.isfinite(share):
        return " " * width
    whole, half = divmod(round(max(0.0, min(1.0, share)) * width * 2), 2)
    return ("━" * whole + "╸" * half).ljust(width)
