"""Colours and the symbols beside them: whatever a colour says, a symbol says too."""

from __future__ import annotations

from textual.theme import Theme

# An ink, not black: the pictures of the cameras are the only loud thing on the screen.
DARK = Theme(
    name="vlarl-dark",
    primary="#7aa2c8",
    secondary="#8f9bb3",
    accent="#d7a65f",
    success="#7fb685",
    warning="#d7a65f",
    error="#d9777f",
    foreground="#c9d1d9",
    background="#12161c",
    surface="#171c24",
    panel="#1f2630",
    dark=True,
)
LIGHT = Theme(
    name="vlarl-light",
    primary="#2f628f",
    secondary="#5b6475",
    accent="#94610f",
    success="#2d7437",
    warning="#94610f",
    error="#b23440",
    foreground="#22272e",
    background="#fbfaf7",
    surface="#f3f1ec",
    panel="#e7e4dc",
    dark=False,
)

# Styles by what they mean. `$name` is the theme's.
GOOD, BAD, CARE = "$success", "$error", "$warning"
QUIET, PLAIN, STRONG, HEAD = "$foreground 58%", "$foreground", "bold $foreground", "bold $primary"
LINE, BAND, MARK = "$primary", "$primary-darken-2", "$accent"

LIVE, ENDED, BROKEN = "●", "○", "◌"
SYMBOLS = {
    "success": ("✓", GOOD),
    "failure": ("✗", BAD),
    "unknown": ("?", CARE),
    "running": ("●", GOOD),
    "interrupted": ("‖", CARE),
    "quarantined": ("!", BAD),
    "damaged": ("!", BAD),
    "kept": ("✓", GOOD),
    "discarded": ("✗", BAD),
    "skipped": ("~", QUIET),
    "rolled back": ("↶", CARE),
    "label": ("✎", MARK),
    "": ("·", QUIET),
}


def symbol(word: str) -> tuple[str, str]:
    """A symbol and its style for a word of the log; a dot for a word it does not know."""
    return SYMBOLS.get(word, ("·", QUIET))
