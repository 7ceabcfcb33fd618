"""What tests tell a Franka to do."""

import threading

import numpy as np

from agent.episode import Action, Task
from agent.settings import RobotSettings
from bridges.franka import FrankaArm

STILL = Action(np.zeros(6, np.float32), 1.0)


def right(share: float) -> Action:
    return Action(np.array([0, share, 0, 0, 0, 0], np.float32), 1.0)


def settings(profile="tabletop", task="touch the mark") -> RobotSettings:
    return RobotSettings(name="franka", profile=profile, task=task)


def task(arm: FrankaArm, horizon_steps=1000, start=1) -> Task:
    (card,) = arm.tasks()
    return Task(card.name, card.instruction, start, horizon_steps)


def wander(arm: FrankaArm) -> None:
    """To and fro, for ten seconds at most."""
    for number in range(200):
        arm.step([right(0.4 if number % 20 < 10 else -0.4)])


def later(seconds, call, *told):
    timer = threading.Timer(seconds, call, told)
    timer.start()
    return timer
