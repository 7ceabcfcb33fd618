"""Hidden changes between the action asked for and the one LIBERO is given."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from agent.errors import UsageError

Float64Array = NDArray[np.float64]

KNOWN = ("rotate", "gain", "delay")


class ActionShift:
    """Turns, scales and delays commands; the one who asks is not told.

    rotate: radians, by which the x-y frame of moves and turns is rotated about the vertical.
    gain: factor on the six deltas. delay: whole control steps before a command takes effect;
    until then the arm holds still with the hand open.
    Raises UsageError for another name, or a delay that is not a whole number of steps up to 20.
    """

    def __init__(self, strengths: Mapping[str, float]) -> None:
        unknown = sorted(set(strengths) - set(KNOWN))
        if unknown:
            raise UsageError(f"LIBERO has no shift {unknown[0]!r}; known: {', '.join(KNOWN)}")
        delay = strengths.get("delay", 0.0)
        if not (delay.is_integer() and 0 <= delay <= 20):
            raise UsageError(f"shift delay must be 0 to 20 whole control steps, not {delay}")
        angle = strengths.get("rotate", 0.0)
        cos, sin = np.cos(angle), np.sin(angle)
        self._turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
        self._gain = strengths.get("gain", 1.0)
        self._delay = int(delay)
        self._waiting: deque[Float64Array] = deque()
        self.reset()

    def reset(self) -> None:
        """Forget the commands under way."""
        still = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0])
        self._waiting = deque([still] * self._delay)

    def apply(self, command: Float64Array) -> Float64Array:
        """Give the command LIBERO gets for this one, (7,), its deltas within [-1, 1]."""
        move, turn = self._turn @ command[:3], self._turn @ command[3:6]
        deltas = np.clip(self._gain * np.concatenate([move, turn]), -1.0, 1.0)
        self._waiting.append(np.append(deltas, command[6]))
        return self._waiting.popleft()
