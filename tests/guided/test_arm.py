"""What an arm does while something else is thought about."""

import threading

import numpy as np
import pytest

from agent.guided.arm import GuidedArm
from agent.settings import RobotSettings
from sim.tabletop.robot import Tabletop


class Counted(Tabletop):
    """Lets work end only after the arm was told to stand for some control steps."""

    def __init__(self):
        super().__init__(RobotSettings(name="tabletop", image_px=16))
        self.steps, self.enough = 0, threading.Event()

    def step(self, actions):
        self.steps += len(actions)
        if self.steps >= 5:
            self.enough.set()
        return super().step(actions)


def test_an_arm_is_told_to_stand_as_long_as_work_lasts_and_what_the_work_raises_is_raised():
    robot = Counted()
    try:
        arm = GuidedArm(robot, (0.5, 0.0, 0.0))
        before = arm.begin().tool
        assert arm.meanwhile(lambda: robot.enough.wait(20.0)) is True
        assert robot.steps >= 5
        # A tool that is held sags by less than a millimetre.
        assert np.abs(arm.still().tool[:3, 3] - before[:3, 3]).max() < 1e-3
        with pytest.raises(ZeroDivisionError):
            arm.meanwhile(lambda: 1 / 0)
    finally:
        robot.close()
