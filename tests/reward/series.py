"""Hand-made series at 20 moments a second: a gripper that closes, a tool that goes along x."""

import numpy as np

from agent.reward.segments import Series

HZ = 20.0


def grasp(moments=60):
    """Fingers open until moment 19, closed from moment 24 on: 0.8 0.6 0.4 0.2 0.0 from 20."""
    opening = np.ones(moments)
    opening[20:25] = (0.8, 0.6, 0.4, 0.2, 0.0)
    opening[25:] = 0.0
    return opening


def way(steps_m):
    """Tool positions after steps along x, (steps + 1, 3)."""
    x = np.concatenate([[0.0], np.cumsum(steps_m)])
    return np.stack([x, np.zeros_like(x), np.zeros_like(x)], axis=1)


def series(opening=None, steps_m=None, every=1):
    """A series whose tool makes 1 mm a moment; views `every` so many moments, and at the end."""
    opening = grasp() if opening is None else np.asarray(opening, float)
    steps_m = np.full(len(opening) - 1, 0.001) if steps_m is None else steps_m
    last = len(opening) - 1
    views = np.unique([*range(0, last, every), last])
    return Series(way(steps_m), opening, views, HZ)
