"""LIBERO's tasks by our names, with their horizons and which start states are for what."""

from __future__ import annotations

import difflib

from agent.episode import Suite, TaskCard
from agent.errors import UsageError
from sim.libero.pins import Pin, read_pins

HORIZON_STEPS = {
    "libero_spatial": 220,
    "libero_object": 280,
    "libero_goal": 300,
    "libero_10": 520,
    "libero_90": 400,
}
STARTS = 50
FRESH = 1000  # start states from here on are drawn by LIBERO, not stored
SETTLING_STEPS = 10
_PAPER_PX = 256
_TRAIN, _GATE, _HELD_OUT = range(25), range(25, 30), range(30, STARTS)


def pins_by_name() -> dict[str, Pin]:
    """Every task as "suite/number", numbered from 0 in LIBERO's own order."""
    counts: dict[str, int] = {}
    named = {}
    for pin in read_pins():
        number = counts.setdefault(pin.suite, 0)
        counts[pin.suite] = number + 1
        named[f"{pin.suite}/{number}"] = pin
    return named


def task_cards() -> tuple[TaskCard, ...]:
    """Give a card for each of the 130 tasks; LIBERO itself need not be installed."""
    return tuple(
        TaskCard(
            name=name,
            instruction=pin.instruction,
            horizon_steps=HORIZON_STEPS[pin.suite],
            train=tuple(_TRAIN),
            gate=tuple(_GATE),
            held_out=tuple(_HELD_OUT),
        )
        for name, pin in pins_by_name().items()
    )


def suites() -> tuple[Suite, ...]:
    """LIBERO's suites, tried as in the papers: each stored start state of each task."""
    names = pins_by_name()
    return tuple(
        Suite(
            suite,
            tuple(name for name, pin in names.items() if pin.suite == suite),
            STARTS,
            SETTLING_STEPS,
            _PAPER_PX,
        )
        for suite in HORIZON_STEPS
    )


def find_pin(name: str) -> Pin:
    """Find the pin of a task. Raises UsageError for a name LIBERO does not have."""
    named = pins_by_name()
    if name not in named:
        near = difflib.get_close_matches(name, named, n=1) or ["libero_object/0"]
        raise UsageError(f"LIBERO has no task {name!r}; is it {near[0]!r}?")
    return named[name]
