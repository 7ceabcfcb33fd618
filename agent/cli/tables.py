"""Plain tables for people, 80 columns wide."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.logbook import Damage

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


def spark(values: Sequence[float], width: int = WIDTH) -> str:
    """Numbers 0 .. 1 as a line of blocks, thinned to the width."""
    if not values:
        return ""
    count = min(width, len(values))
    picked = [values[(index + 1) * len(values) // count - 1] for index in range(count)]
    return "".join(_BARS[min(int(value * len(_BARS)), len(_BARS) - 1)] for value in picked)


def damaged(found: Sequence[Damage]) -> list[str]:
    """What could not be read, the first ten damages of it."""
    lines = [
        textwrap.fill(f"damaged: {each}", WIDTH, subsequent_indent=" " * 9) for each in found[:10]
    ]
    more = len(found) - len(lines)
    return [*lines, f"damaged: and {more} more"] if more else lines
