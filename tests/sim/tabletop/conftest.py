"""One tabletop without pictures for all tests that look at the physics alone."""

import pytest

from agent.episode import Task
from agent.settings import RobotSettings
from sim.tabletop.robot import Tabletop


@pytest.fixture(scope="session")
def table():
    robot = Tabletop(RobotSettings(), cameras=())
    yield robot
    robot.close()


@pytest.fixture(scope="session")
def task():
    def make(name="pick-red-cube-basket", start=0, horizon_steps=140, seed=0):
        return Task(name, "as you like", start, horizon_steps, seed)

    return make
