"""Which task and start state come next."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from agent.episode import Task, TaskCard
from agent.errors import UsageError

Mode = Literal["uniform", "variance", "paper"]
Split = Literal["train", "gate", "held_out"]
Arm = tuple[str, int]


def choose_cards(cards: Sequence[TaskCard], pattern: str) -> tuple[TaskCard, ...]:
    """The cards whose name matches a comma-separated list of names or patterns (* and ?).

    A card's whole instruction will do as well.
    """
    if spoken := tuple(card for card in cards if card.instruction == pattern.strip()):
        return spoken
    wanted = [part.strip() for part in pattern.split(",") if part.strip()] or ["*"]
    chosen = [card for card in cards if any(fnmatch.fnmatch(card.name, w) for w in wanted)]
    for want in wanted:
        if not any(fnmatch.fnmatch(card.name, want) for card in cards):
            names = [card.name for card in cards]
            shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
            raise UsageError(f"no task matches {want!r}; this robot offers: {shown}")
    return tuple(chosen)


def tasks_of(cards: Sequence[TaskCard], split: Split, limit: int | None = None) -> list[Task]:
    """Every start state of a split as a task, at most `limit` a card."""
    return [
        Task(card.name, card.instruction, start, card.horizon_steps, seed=start)
        for card in cards
        for start in getattr(card, split)[:limit]
    ]


def next_task(
    cards: Sequence[TaskCard],
    record: Mapping[Arm, tuple[int, int]],
    seed: tuple[int, int],
    mode: Mode = "variance",
    tau: float = 0.2,
) -> Task:
    """Draw a training task; the same record and seed draw the same one.

    record: (successes, tries) by (task name, start). seed: the run's seed and episode number.
    """
    arms = [(card, start) for card in cards for start in card.train]
    if not arms:
        raise UsageError("no training start states: choose a task that has some")
    rows = [record.get((card.name, start), (0, 0)) for card, start in arms]
    weights = np.array([weight(won, tried, mode, tau) for won, tried in rows])
    draw = np.random.default_rng(seed)
    card, start = arms[int(draw.choice(len(arms), p=weights / weights.sum()))]
    return Task(
        card.name, card.instruction, start, card.horizon_steps, seed=int(draw.integers(2**31))
    )


def weight(won: int, tried: int, mode: Mode, tau: float = 0.2) -> float:
    """How much a start state is worth trying, > 0 and finite for every record.

    "variance": E[p (1 - p)] = a b / ((a + b)(a + b + 1)) under Beta(a, b), where a learner that
    compares outcomes sees most. "paper": exp((0.5 - s) / tau), s the success rate (VLA-RL,
    section 4.4); an unseen state has s = 0.5. "uniform": 1.
    """
    if mode == "uniform":
        return 1.0
    if mode == "paper":
        return math.exp((0.5 - (won / tried if tried else 0.5)) / tau)
    a, b = 1.0 + won, 1.0 + tried - won
    return a * b / ((a + b) * (a + b + 1.0))
