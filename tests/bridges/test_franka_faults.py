"""What may break around a Franka in an episode, and what then becomes of it."""

import _thread
import signal
import time

import pytest

pytest.importorskip("rclpy", reason="pip install vlarl-agent[ros]")

from std_msgs.msg import String

from agent.clock import now_s
from agent.errors import RobotFault, SafetyStop, UsageError
from bridges.franka import FrankaArm
from bridges.node import Link
from tests.bridges.franka_moves import STILL, later, right, settings, task, wander
from tests.bridges.rehearsal import end

pytestmark = [pytest.mark.ros, pytest.mark.slow]
LIMIT_S = 0.8


@pytest.fixture
def whole(cell):
    """Whatever a test broke is whole again."""
    yield cell
    cell.fault("")
    time.sleep(0.3)


@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [
        ("camera_stale@agentview", RobotFault, "camera 'agentview' is .* old"),
        ("camera_frozen@eye_in_hand", RobotFault, "camera 'eye_in_hand' is frozen"),
        ("camera_black@agentview", RobotFault, "camera 'agentview' shows nothing"),
        ("state_dropped", RobotFault, "old, limit 0.80 s"),
        ("pose_dropped", RobotFault, "tool pose .* old"),
        ("state_nan", RobotFault, "finite joint positions"),
        ("wrong_frame", RobotFault, "frame 'base' wanted, found 'elsewhere'"),
        ("stamps=5", RobotFault, "ahead"),
        ("stamps=-5", RobotFault, "old"),
    ],
)
def test_a_lost_sense_ends_the_episode_with_what_to_do(arm, whole, fault, kind, says):
    arm.reset(task(arm))
    arm.step([right(0.1)])
    whole.fault(fault)
    began_s = now_s()
    with pytest.raises(kind, match=says):
        wander(arm)
    assert now_s() - began_s < 4.0
    # and when it is whole again, so is the robot
    whole.fault("")
    arm.reset(task(arm))
    assert arm.step([STILL]).ending is None


def test_a_policy_that_thinks_too_long_finds_the_arm_held_and_its_answer_late(arm):
    arm.reset(task(arm))
    arm.step([right(0.3)])
    time.sleep(LIMIT_S + 0.4)
    with pytest.raises(RobotFault, match=r"no (request|beat) in time"):
        arm.step([right(1.0)] * 3)
    arm.reset(task(arm))
    assert arm.step([STILL]).ending is None


def test_ctrl_c_in_the_middle_of_a_step_leaves_the_arm_at_rest(arm):
    arm.reset(task(arm))
    later(0.15, _thread.interrupt_main)
    with pytest.raises(KeyboardInterrupt):
        arm.step([right(0.1)] * 20)
    with pytest.raises(UsageError):
        arm.step([STILL])
    arm.reset(task(arm))
    assert arm.step([STILL]).ending is None


def test_a_second_agent_on_the_same_arm_is_refused(arm, cell):
    arm.reset(task(arm))
    second = FrankaArm(settings(cell.profile))
    with pytest.raises(RobotFault, match="one agent on an arm wanted, process"):
        second.reset(task(second))
    second.close()
    # and the first one is not disturbed
    assert arm.step([STILL]).ending is None


def test_an_agent_elsewhere_keeps_this_one_off_until_it_is_gone(arm, monkeypatch):
    arm.close()
    elsewhere = Link("vlarl_agent")
    elsewhere.open()
    try:
        elsewhere.publisher("/vlarl/request", String)
        monkeypatch.setattr("bridges.asking._LEASE_S", 2.5)
        # 2 where this arm's own, closed just now, has not left the graph yet
        with pytest.raises(RobotFault, match=r"no other agent .* wanted, the guard knows [12];"):
            arm.reset(task(arm))
        # one that was killed leaves later; it is waited for, and the guard sees one at a time
        monkeypatch.setattr("bridges.asking._LEASE_S", 20.0)
        later(1.5, elsewhere.close)
        arm.reset(task(arm))
        assert not elsewhere.is_open
        assert arm.step([STILL]).ending is None
    finally:
        elsewhere.close()


def test_a_guard_that_does_not_answer_ends_the_episode(arm, cell):
    arm.reset(task(arm))
    arm.step([STILL])
    cell.guard.send_signal(signal.SIGSTOP)
    began_s = now_s()
    try:
        with pytest.raises(RobotFault, match="answers of the guard"):
            arm.step([STILL] * 2)
        took_s = now_s() - began_s
    finally:
        cell.guard.send_signal(signal.SIGCONT)
    assert took_s < 2.5
    arm.reset(task(arm))
    assert arm.step([STILL]).ending is None


def test_a_guard_that_ends_ends_the_episode_and_a_new_one_is_found(arm, cell):
    arm.reset(task(arm))
    arm.step([STILL])
    end(cell.guard)
    with pytest.raises(RobotFault):
        arm.step([STILL] * 2)
    cell.start_guard()
    cell.wait_for("/vlarl/answer")
    arm.reset(task(arm))
    assert arm.step([STILL]).ending is None


def test_without_a_guard_nothing_begins(monkeypatch):
    monkeypatch.setenv("ROS_DOMAIN_ID", "101")
    monkeypatch.setattr("bridges.asking._FIND_S", 0.5)
    alone = FrankaArm(settings())
    with pytest.raises(RobotFault, match=r"start one with: python -m bridges\.guard"):
        alone.reset(task(alone))
    alone.close()


def test_a_reflex_stops_everything_and_only_a_person_goes_on(arm, whole):
    arm.reset(task(arm))
    arm.step([STILL])
    whole.fault("reflex")
    with pytest.raises(SafetyStop, match="FAULT"):
        wander(arm)
    whole.fault("")
    # the program may not clear it, not even in front of a simulated arm
    with pytest.raises(SafetyStop, match="stays FAULT"):
        arm.reset(task(arm))
    whole.say("clear")
    time.sleep(0.3)
    arm.reset(task(arm))
    assert arm.step([STILL]).ending is None
