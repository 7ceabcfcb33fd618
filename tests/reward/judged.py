"""Episodes whose pictures say plainly how far the task is, and readers that see it."""

import time
from dataclasses import replace

import numpy as np

from agent.episode import (
    Action,
    Decision,
    Episode,
    Observation,
    Step,
    Task,
    Terminated,
    Truncated,
)
from agent.errors import RewardUnavailable
from agent.reward.reader import Opinion
from agent.settings import RewardSettings


class BrightReader:
    """A real, very simple judge: success and progress are the brightness of the view."""

    id = "rule/bright@000000000000"

    def __init__(self, slow_s=0.0, doubt=0.0):
        self.slow_s, self.doubt, self.read_views = slow_s, doubt, []

    def read(self, frames):
        time.sleep(self.slow_s)
        bright = frames.images["cam"].mean(axis=(1, 2, 3), dtype=np.float64) / 255.0
        self.read_views.append([round(float(each), 3) for each in bright])
        bright = bright.astype(np.float32)
        return Opinion(bright, bright.copy(), np.full_like(bright, self.doubt))


class MuteReader:
    """A judge that is never there."""

    id = "rule/mute@000000000000"

    def read(self, frames):
        raise RewardUnavailable("nobody is there")


def told(**changes):
    """Settings of a judge that reads every view and asks the last one, unless told otherwise."""
    usual = {"kind": "vlm", "every_views": 1, "theta": 0.6, "agreeing": 1, "last": 1}
    return RewardSettings(**(usual | changes))


def view_of(bright, at):
    image = np.full((8, 8, 3), round(255 * bright), np.uint8)
    return Observation({"cam": image}, np.array([at], np.float32), "lift the cube", float(at))


def episode_of(*bright, moved=1.0, felt=True, ending=None):
    """One decision from each view to the next. moved: full-scale moves of each."""
    delta = np.array([moved, 0, 0, 0, 0, 0], np.float32)
    move = Action(delta, 1.0)
    decision = Decision((move,), np.zeros(7, np.int16), np.zeros(7, np.float32), "base", 1.0)
    views = [view_of(each, number) for number, each in enumerate(bright)]
    steps = [
        Step(view, decision, (move,), np.ones(1, bool), np.array([[number + felt]], np.float32))
        for number, view in enumerate(views[:-1])
    ]
    if not felt:
        steps = [replace(step, track=steps[0].observation.proprio[None]) for step in steps]
    task = Task("lift", "lift the cube", 0, len(steps) or 1)
    ending = ending or Truncated("timeout")
    return Episode("000001", task, "base", 1.0, tuple(steps), views[-1], ending)


WON, TIMED_OUT = Terminated("success"), Truncated("timeout")
