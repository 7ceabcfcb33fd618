"""Named ways in which a deployment differs from training; they compose, each has a strength."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from sim.shifting.cards import ShiftCard, check
from sim.shifting.shared import MASS, MOVING, SEEING, SharedShifts


@dataclass(frozen=True, slots=True)
class Shifts(SharedShifts):
    """The strength of every shift; the defaults are the unshifted world."""

    size: float = 1.0
    cue: float = 0.0


SHIFTS = (
    *MOVING,
    *SEEING,
    ShiftCard("size", "the objects are larger or smaller", "factor", 1.0, 0.6, 1.4),
    ShiftCard("friction", "the objects are rougher or smoother", "factor", 1.0, 0.1, 5.0),
    MASS,
    ShiftCard("distractors", "further grey things stand about", "number", 0.0, 0.0, 4.0),
    ShiftCard("cue", "once low, the fingers show a painted grasp", "factor", 0.0, 0.0, 2.0),
    ShiftCard("paraphrase", "share of episodes asked in other words", "share", 0.0, 0.0, 1.0),
)


def shifts_of(strengths: Mapping[str, float]) -> Shifts:
    """Read shifts by name. Raises UsageError for an unknown name or a strength out of range."""
    check(strengths, SHIFTS)
    return Shifts(**strengths)


if {card.name for card in SHIFTS} != {field.name for field in fields(Shifts)}:
    raise TypeError("every shift needs a card and a field of the same name")
