"""What a live capture shows in the terminal: where the board was seen, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.panel import Panel
from rich.text import Text

if TYPE_CHECKING:
    from agent.guided.live import Look

SEEN, UNSEEN, LINE = "\u2588\u2588\u2588 ", "\u2591\u2591\u2591 ", "\u2501"


def panel(look: Look) -> Panel:
    """One look: the picture's parts that held a corner, how much is there, and a hint."""
    covered, text = look.covered, Text()
    for row in covered.covered:
        text.append("  ")
        for part in row:
            text.append(SEEN if part else UNSEEN, "green" if part else "dim")
        text.append("\n")
    filled = round(30 * covered.share)
    text.append("\n  " + LINE * filled, "green")
    text.append(LINE * (30 - filled), "dim")
    text.append(f" {100 * covered.share:.0f} %\n")
    text.append(f"  {look.views} views, {covered.tilted} tilted, {look.corners} corners now\n\n")
    if look.kept:
        text.append("  taken\n", "bold green")
    else:
        text.append(f"  {look.hint}\n", "bold yellow")
    if look.covered.wish:
        text.append(f"  then: {look.covered.wish}\n")
    return Panel(text, title="calibrate: Ctrl-C ends, nothing is lost", width=64)
