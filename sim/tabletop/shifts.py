"""Named ways in which a deployment differs from training; they compose, each has a strength."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields

from agent.errors import UsageError


@dataclass(frozen=True, slots=True)
class ShiftCard:
    """One shift: what it does, the unit of its strength, the strength that changes nothing."""

    name: str
    what: str
    unit: str
    neutral: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Shifts:
    """The strength of every shift; the defaults are the unshifted world."""

    rotate: float = 0.0
    gain: float = 1.0
    delay: float = 0.0
    drift: float = 0.0
    mirror: float = 0.0
    swap: float = 0.0
    gripper: float = 1.0
    offset: float = 0.0
    camera: float = 0.0
    camera_up: float = 0.0
    camera_tilt: float = 0.0
    camera_pan: float = 0.0
    camera_roll: float = 0.0
    wrist: float = 0.0
    wrist_up: float = 0.0
    wrist_tilt: float = 0.0
    wrist_pan: float = 0.0
    wrist_roll: float = 0.0
    light: float = 1.0
    colour: float = 0.0
    noise: float = 0.0
    size: float = 1.0
    friction: float = 1.0
    mass: float = 1.0
    distractors: float = 0.0
    cue: float = 0.0
    paraphrase: float = 0.0


SHIFTS = (
    ShiftCard("rotate", "actions are turned about the vertical", "rad", 0.0, -3.2, 3.2),
    ShiftCard("gain", "actions are made larger or smaller", "factor", 1.0, 0.1, 5.0),
    ShiftCard("delay", "actions take effect later", "control steps", 0.0, 0.0, 20.0),
    ShiftCard("drift", "every action is moved along y", "full scale", 0.0, -1.0, 1.0),
    ShiftCard("mirror", "actions go the other way along y", "yes or no", 0.0, 0.0, 1.0),
    ShiftCard("swap", "x and y of actions are exchanged", "yes or no", 0.0, 0.0, 1.0),
    ShiftCard("gripper", "the gripper opens so far about its middle", "factor", 1.0, -1.0, 1.0),
    ShiftCard("offset", "the tool reads as if moved along x and y alike", "m", 0.0, -0.2, 0.2),
    ShiftCard("camera", "agentview stands further along y", "m", 0.0, -0.5, 0.5),
    ShiftCard("camera_up", "agentview sits further up in its picture", "m", 0.0, -0.3, 0.3),
    ShiftCard("camera_tilt", "agentview looks further up", "deg", 0.0, -30.0, 30.0),
    ShiftCard("camera_pan", "agentview looks further left", "deg", 0.0, -30.0, 30.0),
    ShiftCard("camera_roll", "agentview is turned about its line", "deg", 0.0, -90.0, 90.0),
    ShiftCard("wrist", "eye_in_hand sits further to its own right", "m", 0.0, -0.1, 0.1),
    ShiftCard("wrist_up", "eye_in_hand sits further up in its picture", "m", 0.0, -0.3, 0.3),
    ShiftCard("wrist_tilt", "eye_in_hand looks further up", "deg", 0.0, -30.0, 30.0),
    ShiftCard("wrist_pan", "eye_in_hand looks further left", "deg", 0.0, -30.0, 30.0),
    ShiftCard("wrist_roll", "eye_in_hand is turned about its line", "deg", 0.0, -90.0, 90.0),
    ShiftCard("light", "all light is brighter or darker", "factor", 1.0, 0.05, 3.0),
    ShiftCard("colour", "the objects' hues are turned", "turns", 0.0, -1.0, 1.0),
    ShiftCard("noise", "pixels get Gaussian noise of this sigma", "grey levels", 0.0, 0.0, 128.0),
    ShiftCard("size", "the objects are larger or smaller", "factor", 1.0, 0.6, 1.4),
    ShiftCard("friction", "the objects are rougher or smoother", "factor", 1.0, 0.1, 5.0),
    ShiftCard("mass", "the objects are heavier or lighter", "factor", 1.0, 0.1, 10.0),
    ShiftCard("distractors", "further grey things stand about", "number", 0.0, 0.0, 4.0),
    ShiftCard("cue", "once low, the fingers show a painted grasp", "factor", 0.0, 0.0, 2.0),
    ShiftCard("paraphrase", "share of episodes asked in other words", "share", 0.0, 0.0, 1.0),
)


def shifts_of(strengths: Mapping[str, float]) -> Shifts:
    """Read shifts by name. Raises UsageError for an unknown name or a strength out of range."""
    known = {card.name: card for card in SHIFTS}
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
                f"{card.neutral} changes nothing"
            )
        if card.unit in {"number", "control steps", "yes or no"} and strength != round(strength):
            raise UsageError(f"shift {name} wants a whole number of {card.unit}, found {strength}")
    return Shifts(**strengths)


def table() -> str:
    """Every shift in a Markdown table."""
    head = (
        "| shift | what it does | strength in | changes nothing at | range |\n|---|---|---|---|---|"
    )
    rows = (
        f"| `{c.name}` | {c.what} | {c.unit} | {c.neutral:g} | {c.low:g} to {c.high:g} |"
        for c in SHIFTS
    )
    return "\n".join((head, *rows))


if {card.name for card in SHIFTS} != {field.name for field in fields(Shifts)}:
    raise TypeError("every shift needs a card and a field of the same name")
