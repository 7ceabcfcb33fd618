"""Whether what a policy answered can be carried out at all, and an action within its range."""

from __future__ import annotations

import math

import numpy as np

from agent.episode import Action, Decision
from agent.errors import NoMove, UsageError


def must_be_moves(decision: Decision) -> None:
    """Raise NoMove where a decision holds no action, a wrong shape, or a number not finite."""
    if not decision.actions:
        raise NoMove("no_action: one action or more wanted from the policy, found none")
    for number, action in enumerate(decision.actions):
        delta = np.asarray(action.delta)
        if delta.shape != (6,) or delta.dtype.kind != "f":
            found = f"{delta.dtype} {delta.shape}"
            raise NoMove(f"misshapen_action: 6 floats wanted in action {number}, found {found}")
        if not (np.isfinite(delta).all() and math.isfinite(action.gripper)):
            raise NoMove(
                f"nonfinite_action: finite numbers wanted in action {number} of adapter "
                f"{decision.adapter!r}, found {delta.tolist()} and {action.gripper}"
            )


def within(action: Action) -> Action:
    """The action itself, or clipped to full scale.

    Raises UsageError for one that is malformed or not finite.
    """
    delta = np.asarray(action.delta)
    if delta.shape != (6,) or delta.dtype.kind != "f":
        raise UsageError(f"a delta of 6 floats wanted, found {delta.dtype} {delta.shape}")
    if not (np.isfinite(delta).all() and np.isfinite(action.gripper)):
        raise UsageError(f"finite numbers wanted in an action, found {action}")
    if np.abs(delta).max() <= 1.0 and 0.0 <= action.gripper <= 1.0:
        return action
    clipped = np.clip(delta, -1.0, 1.0).astype(np.float32)
    return Action(clipped, float(np.clip(action.gripper, 0.0, 1.0)))
