"""The robot contract, held against a Franka on ROS 2: simulated arm and guard in own processes."""

import pytest

pytest.importorskip("rclpy", reason="pip install vlarl-agent[ros]")

from agent.settings import RobotSettings
from bridges.franka import FrankaArm
from tests.bridges.rehearsal import Rehearsal, own_domain, patient_cell
from tests.contracts.robot_contract import ActingRobotContract, FreshRobotContract

pytestmark = [pytest.mark.ros, pytest.mark.slow]


@pytest.fixture(scope="module")
def cell(tmp_path_factory):
    own_domain()
    cell = Rehearsal(patient_cell(tmp_path_factory.mktemp("cell")))
    try:
        yield cell.start()
    finally:
        cell.close()


def arm(cell) -> FrankaArm:
    return FrankaArm(RobotSettings(name="franka", profile=cell.profile, task="touch the mark"))


@pytest.fixture(scope="module")
def robot(cell):
    robot = arm(cell)
    yield robot
    robot.close()


class TestFranka(ActingRobotContract):
    pass


@pytest.fixture
def fresh(cell, robot):
    robot.close()  # one agent on an arm
    fresh = arm(cell)
    yield fresh
    fresh.close()


class TestFreshFranka(FreshRobotContract):
    pass
