"""Every fault of the simulated Franka, injected into the process and seen on its topics."""

import statistics
import time

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="pip install vlarl-agent[ros]")

from benchmarks.simulated_arm import ahead, place_of, stamp_s
from sim.franka.track import stop_after

pytestmark = pytest.mark.ros
AGENTVIEW = "agentview/color/image_raw"
EYE = "eye_in_hand/color/image_raw"


@pytest.mark.parametrize(
    ("fault", "silent"),
    [
        ("state_dropped", {"joint_states", "current_pose", "gripper/joint_states"}),
        ("joints_dropped", {"joint_states"}),
        ("pose_dropped", {"current_pose"}),
        ("camera_stale", {AGENTVIEW, EYE}),
        ("camera_stale@agentview", {AGENTVIEW}),
    ],
)
def test_what_is_dropped_is_silent_until_it_is_not(arm, fault, silent):
    topics = {"joint_states", "current_pose", "gripper/joint_states", AGENTVIEW, EYE}
    arm.put(fault=fault)
    time.sleep(0.05)
    for messages in arm.heard.values():
        messages.clear()
    time.sleep(0.25)
    assert {topic for topic in topics if not arm.heard[topic]} == silent
    arm.put(fault="")
    arm.until(lambda: all(arm.heard[topic] for topic in topics), "all topics")


def test_a_frozen_camera_shows_one_picture_with_new_stamps(arm):
    arm.put(fault="camera_frozen@agentview")
    time.sleep(0.1)
    arm.heard[EYE].clear()
    frozen = arm.since(AGENTVIEW, 0.3)
    assert len(frozen) > 3
    assert len({bytes(each.data) for each in frozen}) == 1
    assert len({stamp_s(each) for each in frozen}) == len(frozen)
    moving = [bytes(message.data) for _, message in list(arm.heard[EYE])]
    assert len(set(moving)) == len(moving)


def test_a_black_camera_is_black(arm):
    arm.put(fault="camera_black@eye_in_hand")
    time.sleep(0.1)
    assert np.frombuffer(arm.since(EYE, 0.2)[-1].data, np.uint8).max() == 0
    assert np.frombuffer(arm.since(AGENTVIEW, 0.2)[-1].data, np.uint8).std() > 10


def test_a_delayed_state_comes_late_with_its_own_stamp(arm):
    arm.put(fault="state_delayed=0.4")
    time.sleep(0.6)
    arm.heard["current_pose"].clear()
    time.sleep(0.2)
    late = list(arm.heard["current_pose"])
    ages = [time.time() - time.monotonic() + came - stamp_s(message) for came, message in late]
    assert 0.38 < statistics.median(ages) < 0.5


@pytest.mark.parametrize(("fault", "off_s"), [("stamps=5", 5.0), ("stamps=-5", -5.0)])
def test_stamps_are_off(arm, fault, off_s):
    arm.put(fault=fault)
    time.sleep(0.1)
    for topic in ("joint_states", "current_pose", AGENTVIEW):
        message = arm.since(topic, 0.15)[-1]
        assert stamp_s(message) - time.time() == pytest.approx(off_s, abs=0.4)


def test_a_wrong_frame_and_a_state_of_nan_are_told(arm):
    arm.put(fault="wrong_frame")
    time.sleep(0.05)
    assert arm.since("current_pose", 0.1)[-1].header.frame_id == "elsewhere"
    arm.put(fault="state_nan")
    time.sleep(0.05)
    assert np.isnan(place_of(arm.since("current_pose", 0.1)[-1])).all()
    assert np.isnan(arm.newest("joint_states").position).all()


@pytest.mark.parametrize("fault", ["commands_ignored", "second_publisher", "reflex", "user_stop"])
def test_a_deaf_arm_ignores_targets_until_it_hears_again(arm, fault):
    before = arm.newest("current_pose")
    arm.put(fault=fault)
    if fault == "second_publisher":
        arm.until(lambda: arm.node.count_publishers("/target_pose") == 2, "a second publisher")
    arm.aim(ahead(before, y=0.05))
    arm.grip(0.0)
    time.sleep(0.4)
    assert place_of(arm.newest("current_pose")) == pytest.approx(place_of(before), abs=1e-4)
    arm.put(fault="")
    if fault == "second_publisher":
        arm.until(lambda: arm.node.count_publishers("/target_pose") == 1, "one publisher")
        time.sleep(0.2)
    arm.aim(ahead(before, y=0.05))
    assert arm.reaches(ahead(before, y=0.05))


@pytest.mark.parametrize(
    ("fault", "mode"), [("reflex", "reflex"), ("user_stop", "user_stopped"), ("idle", "idle")]
)
def test_a_stopped_arm_says_its_mode_at_once_and_stands(arm, fault, mode):
    def mode_now():
        return arm.newest("diagnostics").status[0].message

    arm.aim(ahead(arm.newest("current_pose"), y=0.2))
    time.sleep(0.1)
    arm.put(fault=fault)
    asked = time.monotonic()
    arm.until(lambda: mode_now() == mode, mode, 1.0)
    assert time.monotonic() - asked < 0.15
    time.sleep(0.3)
    trace = arm.trace()
    stop = stop_after(trace["rows"], trace["faults"][-1][0])
    assert trace["faults"][-1][1] == fault
    # the kinematic arm stands within a tick or two; at 0.5 m/s a tick is 5 mm
    assert stop.way_mm < 15
    assert stop.time_ms < 50
    arm.put(fault="")
    arm.until(lambda: mode_now() == "move", "move", 1.0)


def test_an_unknown_fault_is_refused_by_name_and_changes_nothing(arm):
    assert "camera_black" in arm.put(fault="camera_blak")
    assert arm.newest("diagnostics").status[0].message == "move"
