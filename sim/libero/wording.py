"""LIBERO's instructions in other words, by a small grammar of what they ask."""

from __future__ import annotations

import re
from dataclasses import dataclass

WORDINGS = 5

_PICK = re.compile(r"pick up (?P<thing>.+) and (?:put|place) it (?P<place>.+)")
_MOVE = re.compile(
    r"(?P<verb>put|place|stack) (?P<thing>.+?(?: at the (?:back|front))?) "
    r"(?P<place>(?:in|on|to|under|inside)\b.*)"
)
_PUSH = re.compile(r"push (?P<thing>.+?) (?P<place>to .+)")
_STATE = re.compile(r"(?P<verb>open|close|turn on|turn off) (?P<thing>.+)")
_NEXT_CLAUSE = re.compile(r" and (?=(?:put|place|close|open|turn)\b)")

# One column a wording; what is moved is "it", or "them" for more than one.
_WORDS = {
    "move": (
        "take {thing} and set {it} down {place}",
        "get {thing} and leave {it} {place}",
        "fetch {thing} and lay {it} {place}",
        "please carry {thing} and drop {it} {place}",
        "I want {thing} to be {place} when you are done",
    ),
    "push": (
        "slide {thing} {place}",
        "shove {thing} over {place}",
        "push on against {thing} until {it} has come {place}",
        "please nudge {thing} {place}",
        "I want {thing} to be slid {place}",
    ),
    "open": (
        "pull {thing} open",
        "get {thing} open",
        "have {thing} stand open",
        "please open up {thing}",
        "I want {thing} to be open",
    ),
    "close": (
        "push {thing} shut",
        "get {thing} shut",
        "leave {thing} closed",
        "please shut {thing}",
        "I want {thing} to be shut",
    ),
    "turn on": (
        "switch {thing} on",
        "get {thing} going",
        "light {thing}",
        "please start {thing}",
        "I want {thing} to be on",
    ),
    "turn off": (
        "switch {thing} off",
        "get {thing} to stop",
        "put {thing} out",
        "please shut {thing} off",
        "I want {thing} to be off",
    ),
}
_UNKNOWN = ("please {}", "could you {}", "{}, please", "your task: {}", "I want you to {}")
_JOINED = (" and then ", ", then ", "; after that ", ", and ", ", and ")
# Every other wording has other names for things as well.
_NAMES = {
    "frying pan": "skillet",
    "stove": "cooker",
    "mug": "cup",
    "mugs": "cups",
    "cabinet": "cupboard",
    "basket": "hamper",
    "bbq sauce": "barbecue sauce",
    "cookie box": "box of cookies",
}
_RELATIONS = re.compile(r"\b(?:between|next to|center|left|right|front|back|middle)\b")


@dataclass(frozen=True, slots=True)
class _Clause:
    """One thing asked: what to do with what, and where it goes."""

    verb: str
    thing: str
    place: str = ""


def worded(instruction: str, number: int) -> str:
    """The instruction in the wording of a number, 1 to WORDINGS; 0 leaves it as it is.

    A sentence that the grammar does not know is put into a frame as a whole.
    """
    if not number:
        return instruction
    clauses = _clauses(instruction)
    told = (
        _JOINED[number - 1].join(_said(clause, number) for clause in clauses)
        if clauses
        else _UNKNOWN[number - 1].format(instruction)
    )
    if number % 2:
        return told
    return re.sub(
        rf"\b(?:{'|'.join(map(re.escape, _NAMES))})\b", lambda found: _NAMES[found[0]], told
    )


def tells_where(instruction: str) -> bool:
    """Whether a sentence says what stands where, so that its things must not part."""
    return _RELATIONS.search(instruction) is not None


def tells_which(instruction: str) -> bool:
    """Whether a sentence tells the first thing it asks for by where that stands."""
    clauses = _clauses(instruction)
    return bool(clauses) and _RELATIONS.search(clauses[0].thing) is not None


def _clauses(instruction: str) -> tuple[_Clause, ...]:
    """What is asked, in order; empty for a sentence the grammar does not know."""
    if found := _PICK.fullmatch(instruction):
        return (_Clause("move", found["thing"], found["place"]),)
    clauses = [_clause(part) for part in _NEXT_CLAUSE.split(instruction)]
    known = tuple(clause for clause in clauses if clause is not None)
    return known if len(known) == len(clauses) else ()


def _clause(part: str) -> _Clause | None:
    if found := _MOVE.fullmatch(part):
        return _Clause("move", found["thing"], found["place"])
    if found := _PUSH.fullmatch(part):
        return _Clause("push", found["thing"], found["place"])
    if found := _STATE.fullmatch(part):
        return _Clause(found["verb"], found["thing"])
    return None


def _said(clause: _Clause, number: int) -> str:
    many = clause.thing == "them" or clause.thing.startswith("both ")
    pattern = _WORDS[clause.verb][number - 1]
    return pattern.format(thing=clause.thing, it="them" if many else "it", place=clause.place)
