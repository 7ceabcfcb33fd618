"""Tasks of an arm whose scene is laid anew for each episode: an instruction in free words."""

from __future__ import annotations

import re

from agent.episode import Task, TaskCard
from agent.errors import UsageError
from agent.settings import RobotSettings

# Numbers of start states, as the embedded table-top counts its own.
FIRST_GATE, GATES, HELD_OUT = 40, 10, 50


def card_of(settings: RobotSettings) -> TaskCard:
    """The one task that the settings tell; its starts are labels of scenes.

    Raises UsageError where they tell none.
    """
    text = " ".join(settings.task.split())
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60]
    if not name:
        raise UsageError(
            "a task wanted, in words, found none; say it: --task 'pick up the red cube'"
        )
    gate = max(FIRST_GATE, settings.starts)
    return TaskCard(
        name=name,
        instruction=text,
        horizon_steps=settings.horizon_steps,
        train=tuple(range(settings.starts)),
        gate=tuple(range(gate, gate + GATES)),
        held_out=tuple(range(gate + GATES, gate + GATES + HELD_OUT)),
    )


def must_be_of(card: TaskCard, task: Task) -> None:
    """Raises UsageError for a task that the card does not offer, or a number out of range."""
    starts = (*card.train, *card.gate, *card.held_out)
    if task.name != card.name or task.start not in starts:
        raise UsageError(
            f"task {card.name!r} and a start of 0 .. {starts[-1]} wanted, "
            f"found {task.name!r}, start {task.start}"
        )
    if task.horizon_steps < 1 or not 0 <= task.seed < 2**63:
        raise UsageError(
            f"a horizon of 1 step or more and a seed of 0 or more wanted, found "
            f"{task.horizon_steps} and {task.seed}"
        )
