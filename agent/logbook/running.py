"""The episode that is being acted, read from its log beside the writer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.store.folders import LOG
from agent.store.layout import AXES, Layout, action_rows
from agent.store.steplog import decode_step, read_log


@dataclass(frozen=True, slots=True)
class Running:
    """What its log tells so far. facts: as before the first step. values: columns by name."""

    facts: Mapping[str, Any]
    layout: Layout | None
    decisions: int
    values: Mapping[str, NDArray[Any]]


def running(folder: Path) -> Running:
    """Read a staged episode up to its newest whole record. Raises what a torn log raises."""
    logged = read_log(folder / LOG)
    if logged.layout is None or not logged.steps:
        return Running(logged.begin, logged.layout, 0, {})
    layout, adapter = logged.layout, str(logged.begin.get("adapter", ""))
    steps = [decode_step(payload, layout, adapter, {}) for payload in logged.steps]
    n, k = len(steps), layout.actions
    applied = np.full((n, k, AXES), np.nan)
    track = np.full((n, k, layout.proprio), np.nan, np.float32)
    for index, step in enumerate(steps):
        applied[index, : len(step.applied)] = action_rows(step.applied)
        track[index, : len(step.applied)] = step.track
    values: dict[str, NDArray[Any]] = {
        "proprio": np.stack([step.observation.proprio for step in steps]),
        "time_s": np.array([step.observation.time_s for step in steps]),
        "tokens": np.stack([step.decision.tokens for step in steps]),
        "log_probs": np.stack([step.decision.log_probs for step in steps]),
        "requested": np.stack([action_rows(step.decision.actions) for step in steps]),
        "applied": applied,
        "applied_count": np.array([len(step.applied) for step in steps]),
        "executed": np.stack([step.executed for step in steps]),
        "track": track,
        "decided_s": np.array([step.times.decided_s for step in steps]),
        "sent_s": np.array([step.times.sent_s for step in steps]),
        "applied_s": np.array([step.times.applied_s for step in steps]),
        "limits": np.array([int(step.limits) for step in steps]),
        "by_hand": np.array([step.by_hand for step in steps]),
    }
    return Running(logged.begin, layout, n, values)
