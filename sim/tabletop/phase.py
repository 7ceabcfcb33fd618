"""How far a task truly is, view by view, out of what only the simulator knows."""

from __future__ import annotations

import numpy as np

from agent.episode import Episode, Float32Array
from agent.errors import DataError
from sim.tabletop.arm import Float64Array
from sim.tabletop.catalog import LANDMARKS, WISHES

_AT_IT_M = 0.03  # from the tool to the thing's middle: nearer is no further progress
_LIFTED_M = 0.06


def phase_of(episode: Episode) -> Float32Array:
    """The true phase of each view, (steps + 1,) in [0, 1], 1 where the task is done.

    What is only reached counts with the share of the way to it that is behind; what is moved,
    half for the tool's way to it and half for its own. Raises DataError for an episode without
    what only a simulator knows.
    """
    views = [*(step.observation for step in episode.steps), episode.last]
    known = np.stack([view.privileged for view in views]).astype(np.float64)
    if known.shape[1] != 3 * len(LANDMARKS):
        raise DataError(f"episode {episode.id}: {3 * len(LANDMARKS)} privileged numbers wanted")
    thing, place, tool = known.reshape(len(views), -1, 3)[:, :3].transpose(1, 0, 2)
    kind = next(wish.kind for wish in WISHES if wish.name == episode.task.name)
    reached = _behind(np.linalg.norm(tool - thing, axis=1), _AT_IT_M)
    if kind in {"reach", "press"}:
        phase = reached
    else:
        left = _LIFTED_M - (thing - thing[0])[:, 2] if kind == "lift" else _aside(thing, place)
        phase = (reached + _behind(left, 0.0)) / 2
    if getattr(episode.ending, "reason", "") == "success":
        phase[-1] = 1.0
    return phase.astype(np.float32)


def _behind(left_m: Float64Array, enough_m: float) -> Float64Array:
    """The share of the first distance, down to what is enough, that is behind."""
    whole = max(float(left_m[0]) - enough_m, 1e-6)
    found: Float64Array = np.clip(1.0 - (left_m - enough_m) / whole, 0.0, 1.0)
    return found


def _aside(thing: Float64Array, place: Float64Array) -> Float64Array:
    """Metres along the table between a thing and its place."""
    found: Float64Array = np.linalg.norm((thing - place)[:, :2], axis=1)
    return found
