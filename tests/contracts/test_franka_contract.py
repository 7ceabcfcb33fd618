"""The robot contract, held against a Franka on ROS 2: simulated arm and guard in own processes."""

import pytest

pytest.importorskip("rclpy", reason="pip install vlarl-agent[ros]")

from agent.settings import RobotSettings
from bridges.franka import FrankaArm
from tests.bridges.rehearsal import Rehearsal, own_domain
from tests.contracts.robot_contract import ActingRobotContract, FreshRobotContract

pytestmark = [pytest.mark.ros, pytest.mark.slow]


@pytest.fixture(scope="module")
def cell():
    own_domain()
    cell = Rehearsal("tabletop")
    try:
        yield cell.start()
    finally:
        cell.close()


def arm() -> FrankaArm:
    return FrankaArm(RobotSettings(name="franka", profile="tabletop", task="touch the mark"))


@pytest.fixture(scope="module")
def robot(cell):
    robot = arm()
    yield robot
    robot.close()


class TestFranka(ActingRobotContract):
    pass


@pytest.fixture
def fresh(cell, robot):
    robot.close()  # one agent on an arm
    fresh = arm()
    yield fresh
    fresh.close()


class TestFreshFranka(FreshRobotContract):
    pass
