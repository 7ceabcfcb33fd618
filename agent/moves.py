"""Whether what a policy answered can be carried out at all; asked before any robot is."""

from __future__ import annotations

import math

import numpy as np

from agent.episode import Decision
from agent.errors import NoMove


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
