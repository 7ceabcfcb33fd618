"""A small whole episode, made of plain values."""

import numpy as np

from agent.episode import (
    NO_LIMIT,
    Action,
    Decision,
    Episode,
    Observation,
    Step,
    Task,
    Times,
    Truncated,
)


def view_at(time_s):
    image = np.zeros((16, 16, 3), np.uint8)
    return Observation({"cam": image}, np.zeros(3, np.float32), "go", time_s)


def episode_of(steps, limits=NO_LIMIT):
    """One control step a decision, every 0.2 s, decided and sent 10 and 20 ms after the view."""
    move = Action(np.zeros(6, np.float32), 1.0)
    decision = Decision((move,), np.zeros(7, np.int16), np.zeros(7, np.float32), "base", 1.0)
    rows = []
    for number in range(steps):
        at = 10.0 + 0.2 * number
        times = Times(at + 0.01, at + 0.02, at + 0.021)
        track = np.zeros((1, 3), np.float32)
        rows.append(Step(view_at(at), decision, (move,), np.ones(1, bool), track, times, limits))
    task, last = Task("go", "go", 0, steps), view_at(10.0 + 0.2 * steps)
    return Episode("000001", task, "base", 1.0, tuple(rows), last, Truncated("timeout"))
