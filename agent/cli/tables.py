"""Plain tables and numbers for people, 80 columns wide."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.logbook import Damage, Rate

WIDTH = 80
_BARS = "▁▂▃▄▅▆▇█"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], right: str = "") -> str:
    """Rows under their heads, cut to the width. right: "1" a column that is set to the right."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=any(heads))
    last = len(heads) - 1
    for number, head in enumerate(heads):
        aside = right[number : number + 1] == "1"
        wraps = number == last
        made.add_column(
            head,
            justify="right" if aside else "left",
            no_wrap=not wraps,
            overflow="fold" if wraps else "ellipsis",
        )
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    out = io.StringIO()
    Console(file=out, width=WIDTH, color_system=None, legacy_windows=False).print(made)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """Names and what is known under them; long ones are wrapped beside their name."""
    return table(("", ""), rows)


def rate(found: Rate | None) -> str:
    """A success count with its interval, in per cent."""
    if found is None or not found.tried:
        return "-"
    bounds = f"[{100 * found.low:.0f}, {100 * found.high:.0f}]"
    return f"{found.won}/{found.tried} {100 * found.share:.0f} % {bounds}"


def spark(values: Sequence[float], width: int = WIDTH) -> str:
    """Numbers 0 .. 1 as a line of blocks, thinned to the width."""
    if not values:
        return ""
    count = min(width, len(values))
    picked = [values[(index + 1) * len(values) // count - 1] for index in range(count)]
    return "".join(_BARS[min(int(value * len(_BARS)), len(_BARS) - 1)] for value in picked)


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
    return "-" if value is None or value != value else f"{value:.{digits}f}"  # noqa: PLR0124  NaN


def damaged(found: Sequence[Damage]) -> list[str]:
    """One line a damage, the first ten of them."""
    lines = [f"damaged: {each}" for each in found[:10]]
    more = len(found) - len(lines)
    return [*lines, f"damaged: and {more} more"] if more else lines
