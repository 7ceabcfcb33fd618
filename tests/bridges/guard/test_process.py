"""The guard as a process on real DDS: who may arm it, what it publishes, how it ends."""

import math
import signal
import time
from importlib.util import find_spec

import pytest

pytest.importorskip("rclpy", reason="pip install vlarl-agent[ros]")

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import PoseStamped

from agent.clock import now_s
from bridges.wire import Kind, State
from calibration.profile import SHIPPED
from tests.bridges.guard.cell import HOME
from tests.bridges.guard.still_arm import GuardProcess, StillArm
from tests.bridges.rehearsal import own_domain

pytestmark = pytest.mark.ros


@pytest.fixture(scope="module")
def guard():
    own_domain()
    guard = GuardProcess("--profile", "franka")
    yield guard
    guard.end(signal.SIGKILL)


@pytest.fixture(scope="module")
def arm(guard):
    arm = StillArm().start()
    try:
        arm.agent.find(time.sleep)
        time.sleep(0.5)
        yield arm
    finally:
        arm.close()


def place(message) -> tuple[float, float, float]:
    found = message.pose.position
    return found.x, found.y, found.z


def test_nothing_leaves_an_unarmed_guard_and_no_program_arms_a_real_arm(arm, until):
    assert arm.agent.state().state is State.DISARMED
    answer = arm.agent.ask(Kind.ARM, 5.0)
    assert (answer.state, answer.reason) == (State.DISARMED, "a person has to arm here")
    assert arm.move().state is State.DISARMED
    assert arm.targets == []


def test_what_is_answered_is_what_is_published(arm, until):
    arm.running()
    before_s = now_s()
    answer = arm.move(0.0005)
    assert until(lambda: arm.targets)
    _, message = arm.targets[-1]
    assert place(message) == pytest.approx(answer.position_m, abs=1e-12)
    assert place(message)[0] == pytest.approx(HOME.position_m[0] + 0.0005)
    assert message.header.frame_id == "base"
    assert before_s < answer.received_s < answer.applied_s < now_s()
    assert until(lambda: arm.grips)
    assert arm.grips[-1] == answer.gripper


def test_a_setpoint_too_far_is_held_on_the_wire_as_well(arm):
    arm.running()
    answer = arm.move(0.2)
    # acceleration lets 3 m/s2 x 20 ms x 20 ms = 1.2 mm go
    assert answer.position_m[0] - HOME.position_m[0] == pytest.approx(0.0012, abs=1e-9)
    assert answer.limits & 4


def test_a_silent_agent_is_held_after_three_periods_and_lost_a_second_later(arm, until):
    arm.running()
    arm.move(0.0005)
    arm.targets.clear()
    began_s = now_s()
    assert until(lambda: arm.agent.heard.state is State.HOLD, 3.0)
    # 3 periods of 5 Hz and 40 ms of grace; a busy machine may look later, never earlier
    assert 0.55 < now_s() - began_s < 1.5
    assert until(lambda: arm.targets)
    assert place(arm.targets[-1][1]) == pytest.approx(tuple(HOME.position_m), abs=1e-12)
    assert until(lambda: arm.agent.heard.state is State.FAULT, 3.0)
    assert len(arm.targets) == 1
    assert arm.call("resume").success is False


def test_an_arm_that_falls_silent_is_held_and_nothing_more_is_published(arm, until):
    arm.running()
    arm.move()
    arm.speaks = False
    seen = now_s()
    while arm.move().state is State.RUNNING:
        assert now_s() - seen < 1.0
        time.sleep(0.02)
    arm.targets.clear()
    assert "old" in arm.agent.state().reason
    time.sleep(0.1)
    assert arm.targets == []
    refused = arm.call("resume")
    assert not refused.success
    assert "driver" in refused.message


def test_a_person_speaks_on_the_topic_and_by_services(arm, until):
    arm.running()
    arm.say("take")
    assert until(lambda: arm.agent.heard.by_hand)
    assert arm.move().by_hand
    arm.say("release")
    assert until(lambda: not arm.agent.heard.by_hand)
    assert arm.call("hold").message == "HOLD"
    assert arm.call("resume").message == "RUNNING"
    assert arm.call("disarm").message == "DISARMED"


def test_another_publisher_of_targets_is_a_fault_and_keeps_the_guard_disarmed(arm, until):
    arm.running()
    node = arm.link._node
    other = node.create_publisher(PoseStamped, "/target_pose", 1)
    try:
        assert until(lambda: arm.agent.heard.state is State.FAULT, 5.0)
        assert "2 publishers" in arm.agent.heard.reason
        arm.call("clear")
        refused = arm.call("arm")
        assert (refused.success, "2 publishers" in refused.message) == (False, True)
    finally:
        node.destroy_publisher(other)


def test_a_pressed_user_stop_is_a_fault_that_only_a_person_clears(arm, until):
    arm.running()
    publisher = arm.link.publisher("/diagnostics", DiagnosticArray, 10)
    assert until(lambda: publisher.get_subscription_count() > 0)
    for mode, state in (("user_stopped", State.FAULT), ("move", State.FAULT)):
        told = DiagnosticStatus(values=[KeyValue(key="robot_mode", value=mode)])
        publisher.publish(DiagnosticArray(status=[told]))
        assert until(lambda state=state: arm.agent.heard.state is state)
        time.sleep(0.1)
    assert "a person has to clear" in arm.agent.ask(Kind.CLEAR, 5.0).reason
    assert arm.call("clear").success


def test_a_second_guard_of_the_same_arm_is_refused(arm):
    code, said = GuardProcess("--profile", "panda").ended()
    assert code == 4
    assert "one guard for /target_pose wanted" in said


@pytest.mark.skipif(find_spec("control_msgs") is not None, reason="control_msgs is here")
@pytest.mark.skipif(find_spec("franka_msgs") is not None, reason="franka_msgs is here")
def test_a_gripper_whose_messages_are_missing_is_named_with_its_package(tmp_path, arm):
    cell = tmp_path / "cell.toml"
    text = (SHIPPED / "franka.toml").read_text()
    for kind, package in (("gripper_command", "control-msgs"), ("grasp", "franka-msgs")):
        cell.write_text(text.replace("[rates]", f'[kinds]\ngripper = "{kind}"\n\n[rates]', 1))
        code, said = GuardProcess("--profile", str(cell), "--namespace", "other").ended()
        assert code == 4
        assert f"apt install ros-$ROS_DISTRO-{package}" in said


def test_status_tells_state_and_latency(arm, until):
    heard = arm.link.listen("/guard/status", DiagnosticArray, "reliable")
    assert until(lambda: heard.newest is not None, 5.0)
    (status,) = heard.newest.message.status
    told = {pair.key: pair.value for pair in status.values}
    assert told["state"] in {str(state) for state in State}
    assert math.isfinite(float(told["request_to_target_p99_ms"]))
    assert status.hardware_id == "franka"


def test_a_guard_that_is_ended_holds_the_arm_first_and_is_gone_within_a_second(guard, arm, until):
    arm.running()
    arm.move(0.0005)
    arm.targets.clear()
    code, took_s = guard.end(signal.SIGTERM)
    assert code == 0
    assert took_s < 2.0
    assert until(lambda: arm.targets)
    assert place(arm.targets[-1][1]) == pytest.approx(tuple(HOME.position_m), abs=1e-12)
