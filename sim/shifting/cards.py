"""What a shift is called, what it does and how strong it may be."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.errors import UsageError

_WHOLE = frozenset({"number", "control steps", "yes or no"})


@dataclass(frozen=True, slots=True)
class ShiftCard:
    """One shift: what it does, the unit of its strength, the strength that changes nothing."""

    name: str
    what: str
    unit: str
    neutral: float
    low: float
    high: float


def check(strengths: Mapping[str, float], cards: Sequence[ShiftCard]) -> None:
    """Raise UsageError for a shift without a card, or one whose strength is out of range."""
    known = {card.name: card for card in cards}
    for name, strength in strengths.items():
        card = known.get(name)
        if card is None:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
            raise UsageError(
                f"no shift is called {name!r}; known: {', '.join(known)}; did you mean {near!r}?"
            )
        if not card.low <= strength <= card.high:
            raise UsageError(
                f"shift {name} wants {card.low} to {card.high} {card.unit}, found {strength}; "
                f"{card.neutral} changes nothing; known: {', '.join(known)}"
            )
        if card.unit in _WHOLE and strength != round(strength):
            raise UsageError(f"shift {name} wants a whole number of {card.unit}, found {strength}")


def table(cards: Sequence[ShiftCard]) -> str:
    """Every shift in a Markdown table."""
    head = (
        "| shift | what it does | strength in | changes nothing at | range |\n|---|---|---|---|---|"
    )
    rows = (
        f"| `{c.name}` | {c.what} | {c.unit} | {c.neutral:g} | {c.low:g} to {c.high:g} |"
        for c in cards
    )
    return "\n".join((head, *rows))
