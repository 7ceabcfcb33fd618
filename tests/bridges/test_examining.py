"""What the doctor finds around an arm: all well, and each thing that can be wrong."""

import time

import pytest

pytest.importorskip("rclpy", reason="pip install vlarl-agent[ros]")

from agent.doctor import Status, examine_robot, exit_code
from agent.errors import UsageError
from agent.settings import RobotSettings
from bridges import examining
from bridges.examining import examine
from tests.bridges.rehearsal import Rehearsal, end, own_domain

pytestmark = [pytest.mark.ros, pytest.mark.slow]


@pytest.fixture(scope="module")
def cell():
    own_domain()
    cell = Rehearsal("franka").start()
    time.sleep(1.5)
    yield cell
    cell.close()


@pytest.fixture(autouse=True)
def brief(monkeypatch):
    monkeypatch.setattr(examining, "LISTENED_S", 1.0)


def found(profile="franka"):
    return {each.name: each for each in examine(RobotSettings(name="franka", profile=profile))}


def test_a_whole_cell_is_well_and_ends_with_0(cell):
    checks = examine_robot(RobotSettings(name="franka", profile="franka"))
    assert {check.name: check.found for check in checks if check.status is Status.FAIL} == {}
    assert exit_code(checks) == 0
    names = {check.name for check in checks}
    assert {"joint states", "frames", "camera agentview info", "guard", "disk", "ros"} <= names


def test_nothing_is_commanded_by_looking(cell):
    assert "DISARMED, 0 agents" in found()["guard"].found


@pytest.mark.parametrize(
    ("fault", "name", "said"),
    [
        ("wrong_frame", "frames", "found 'elsewhere'"),
        ("stamps=3", "joint states", "stamped 3"),
        ("stamps=-3", "tool pose", "age 3"),
        ("camera_stale@agentview", "camera agentview", "nothing came on /agentview"),
        ("joints_dropped", "joint states", "nothing came on /joint_states"),
        ("state_nan", "frames", "finite"),
        ("reflex", "mode", "reflex"),
        ("user_stop", "mode", "user_stopped"),
        ("second_publisher", "targets", "/guard, /simulated_franka publish /target_pose"),
    ],
)
def test_what_is_wrong_is_named_and_fails(cell, fault, name, said):
    cell.fault(fault)
    time.sleep(0.4)
    try:
        finding = found()[name]
    finally:
        cell.fault("")
        time.sleep(0.3)
    assert finding.status == "fail", finding
    assert said in finding.found
    assert finding.advice or name == "frames"


def test_a_profile_of_another_model_does_not_fit_the_joints(cell):
    finding = found("panda")["frames"]
    assert finding.status == "fail"
    assert "panda_joint1" in finding.found


def test_a_simulated_profile_wants_a_simulated_arm(cell):
    # This one is simulated, so nothing is said against it; its joints are another model's.
    assert found("tabletop")["mode"].status == "ok"


def test_a_profile_that_cannot_be_is_wrong_settings():
    with pytest.raises(UsageError, match="shipped: franka, panda, tabletop"):
        examine(RobotSettings(name="franka", profile="nothing"))


def test_without_guard_and_arm_all_of_them_are_named(cell):
    end(cell.guard)
    end(cell.arm)
    time.sleep(0.5)
    failing = {name for name, each in found().items() if each.status == "fail"}
    assert {"joint states", "tool pose", "gripper", "controller", "guard"} <= failing
    assert exit_code(examine_robot(RobotSettings(name="franka", profile="franka"))) == 4
