"""How a gripper answers: how far it is open once it was told to open, or to close."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agent.diagnosis.evidence import Grip

SETTLED = 9  # control steps of the same command
LEAST = 8  # settled control steps


@dataclass(frozen=True, slots=True)
class Gripping:
    """Openings 0..1 once settled, NaN where it was never told so for long.

    opened: the median when told to open. least, usual: fifth percentile and median when told to
    close, by task: what is held keeps the fingers apart.
    """

    opened: float
    least: Mapping[str, float]
    usual: Mapping[str, float]


def gripping(grips: Sequence[Grip], delay: int = 0) -> Gripping:
    """Look at every control step before which the same was asked for long enough."""
    opened: list[float] = []
    closed: dict[str, list[float]] = {}
    for grip in grips:
        wide = grip.commands > 0.5
        for step in range(SETTLED + delay, len(wide)):
            before = wide[step - SETTLED - delay : step + 1 - delay]
            if before.all():
                opened.append(float(grip.openings[step]))
            elif not before.any():
                closed.setdefault(grip.task, []).append(float(grip.openings[step]))
    shut = {task: each for task, each in closed.items() if len(each) >= LEAST}
    return Gripping(
        opened=float(np.median(opened)) if len(opened) >= LEAST else math.nan,
        least={task: float(np.percentile(each, 5)) for task, each in shut.items()},
        usual={task: float(np.median(each)) for task, each in shut.items()},
    )
