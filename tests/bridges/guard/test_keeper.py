"""The guard without ROS: requests, words and time against targets and answers."""

import math

import numpy as np
import pytest

from agent.episode import Limit
from bridges.guard.arm import Mode
from bridges.wire import UNASKED, Kind, State, request_text
from tests.bridges.guard.cell import HOME, Desk, arm, at, floats, measured, move

ALARMS = (
    {"mode": Mode.REFLEX}, {"mode": Mode.RECOVERY}, {"mode": Mode.USER_STOPPED},
    {"publishers": 2}, {"agents": 2},
)  # fmt: skip


def only(reply):
    (answer,) = reply.answers
    return answer


def test_a_setpoint_in_an_episode_is_published_and_answered():
    desk = Desk().running()
    reply = desk.ask(Kind.MOVE, position_m=floats(at(HOME, (0.0005, 0, 0)).position_m))
    answer = only(reply)
    assert not reply.hold
    assert answer.position_m == pytest.approx(floats(reply.target.pose.position_m))
    assert answer.position_m[0] == pytest.approx(HOME.position_m[0] + 0.0005)
    assert (answer.sequence, answer.state, answer.reason) == (3, State.RUNNING, "")
    assert (answer.received_s, answer.gripper, answer.limits) == (desk.now_s, 0.5, 0)


def test_nothing_is_published_before_a_person_has_armed_and_an_episode_has_begun():
    desk = Desk()
    assert only(desk.ask(Kind.MOVE)).reason == "not armed yet"
    assert "begin wants ARMED" in only(desk.ask(Kind.BEGIN)).reason
    assert desk.say("arm").why == ""
    reply = desk.ask(Kind.MOVE)
    assert reply.target is None
    assert desk.state == "ARMED"
    assert only(desk.ask(Kind.BEGIN)).state is State.RUNNING
    assert desk.ask(Kind.MOVE).target is not None


def test_a_program_may_arm_only_what_both_sides_call_simulated():
    for simulated, says, state in (
        (False, True, "DISARMED"), (True, False, "DISARMED"), (True, True, "ARMED"),
    ):  # fmt: skip
        desk = Desk(simulated=simulated)
        reply = desk.ask(Kind.ARM, arm_changes={"simulated": says})
        assert desk.state == state
        assert ("a person has to arm here" in only(reply).reason) is (state == "DISARMED")


def test_a_program_lifts_no_persons_hold_and_clears_no_reflex():
    desk = Desk(simulated=True).running()
    desk.say("hold")
    assert "a person has to resume" in only(desk.ask(Kind.RESUME)).reason
    desk.say("resume")
    desk.tick(mode=Mode.REFLEX)
    assert "a person has to clear" in only(desk.ask(Kind.CLEAR)).reason
    assert desk.say("clear").why == ""
    assert only(desk.ask(Kind.ARM)).state is State.ARMED
    # but it may lift the hold and the fault that its own silence brought about
    desk.ask(Kind.BEGIN)
    desk.ask(Kind.MOVE)
    desk.tick(after_s=0.5)
    assert only(desk.ask(Kind.RESUME)).state is State.RUNNING
    desk.ask(Kind.MOVE)
    desk.tick(after_s=0.5)
    desk.tick(after_s=1.1)
    assert desk.state == "FAULT"
    assert only(desk.ask(Kind.CLEAR)).state is State.DISARMED


def test_an_alarm_faults_a_moving_arm_and_keeps_another_from_being_armed():
    for alarm in ALARMS:
        desk = Desk().running()
        reply = desk.tick(**alarm)
        assert desk.state == "FAULT", alarm
        assert reply.hold
        assert only(reply).sequence == UNASKED
        desk.say("clear")
        assert desk.say("arm", **alarm).why != ""
        assert desk.state == "DISARMED"


def test_an_alarm_is_heard_before_a_request_or_word_is_followed():
    for alarm in ALARMS:
        desk = Desk().running()
        assert desk.ask(Kind.MOVE, arm_changes=alarm).hold
        assert desk.state == "FAULT"
        desk = Desk().running()
        desk.say("take", **alarm)
        assert desk.state == "FAULT"


def test_an_arm_of_another_model_is_stopped_and_the_reason_told():
    desk = Desk().running()
    folded = measured().joints_rad.copy()
    folded[5] = 0.2
    told = measured(joints_rad=folded, joints_at_s=desk.now_s, pose_at_s=desk.now_s)
    answer = only(desk.ask(Kind.MOVE, arm_changes={"measured": told}))
    assert answer.state is State.HOLD
    assert "right model" in answer.reason
    assert "right model" in desk.keeper.machine.reason


def test_after_hands_motion_begins_anew_where_they_left_the_arm():
    desk = Desk().running()
    desk.say("take")
    desk.say("release")
    where = at(HOME, (0.05, 0.0, 0.0))
    desk.now_s += 0.02
    told = measured(pose=where, joints_at_s=desk.now_s, pose_at_s=desk.now_s)
    reply = desk.ask(Kind.MOVE, 0.0, {"measured": told}, position_m=floats(where.position_m))
    assert reply.target.pose.position_m == pytest.approx(where.position_m)


def test_where_motion_ends_the_arm_is_held_where_it_is_and_once():
    desk = Desk().running()
    where = at(HOME, (0.004, 0.0, 0.0))
    fresh = measured(pose=where, joints_at_s=desk.now_s, pose_at_s=desk.now_s)
    reply = desk.say("hold", measured=fresh)
    assert reply.hold
    assert np.array_equal(reply.target.pose.position_m, where.position_m)
    assert only(reply).position_m == floats(where.position_m)
    for _ in range(3):
        assert desk.tick().target is None
        assert desk.ask(Kind.MOVE).target is None


def test_no_hold_is_published_on_a_state_nobody_can_rely_on():
    desk = Desk().running()
    for told in ({"measured": None}, {"trouble": "wrong frame"}):
        desk = Desk().running()
        reply = desk.tick(**told)
        assert desk.state == "HOLD"
        assert reply.target is None
    assert only(reply).reason == "wrong frame"
    old = measured(joints_at_s=desk.now_s - 1, pose_at_s=desk.now_s - 1)
    desk = Desk().running()
    reply = desk.tick(measured=old)
    assert (desk.state, reply.target) == ("HOLD", None)


def test_a_broken_request_holds_the_arm():
    desk = Desk().running()
    text = request_text(move()).replace("0.5", "NaN")
    reply = desk.send(text)
    assert desk.state == "HOLD"
    assert only(reply).sequence == UNASKED
    assert "NaN" in only(reply).reason
    # and is complained of where there was no motion to hold
    assert "strict JSON" in only(Desk().send("{")).reason


def test_a_request_that_is_refused_says_why_and_the_arm_stays_in_motion():
    desk = Desk().running()
    answer = only(desk.ask(Kind.MOVE, gripper=2.0))
    assert "opening" in answer.reason
    assert answer.limits == Limit.SHAPE
    assert math.isnan(answer.position_m[0])
    assert desk.state == "RUNNING"


def test_requests_count_upwards_and_keep_to_their_adapter():
    desk = Desk().running()
    assert "out of order" in only(desk.ask(Kind.MOVE, sequence=1)).reason
    assert "another adapter" in only(desk.ask(Kind.MOVE, adapter="0002")).reason
    assert "another adapter" in only(desk.ask(Kind.MOVE, episode=4)).reason
    assert only(desk.ask(Kind.MOVE)).reason == ""
    # a BEAT counts as well
    desk.ask(Kind.BEAT, sequence=50)
    assert "out of order" in only(desk.ask(Kind.MOVE, sequence=50)).reason
    # and an old one takes nothing back
    desk.ask(Kind.BEAT, sequence=1)
    assert "out of order" in only(desk.ask(Kind.MOVE, sequence=50)).reason


def test_a_late_begin_begins_nothing():
    desk = Desk()
    desk.say("arm")
    assert "late" in only(desk.ask(Kind.BEGIN, deadline_s=desk.now_s - 1)).reason
    assert desk.state == "ARMED"


def test_after_a_resume_motion_begins_anew_where_the_arm_is():
    desk = Desk().running()
    desk.say("hold")
    desk.say("resume")
    moved = at(HOME, (0.05, 0.0, 0.0))
    desk.now_s += 0.02
    fresh = measured(pose=moved, joints_at_s=desk.now_s, pose_at_s=desk.now_s)
    reply = desk.ask(Kind.MOVE, 0.0, {"measured": fresh}, position_m=floats(moved.position_m))
    assert reply.target.pose.position_m == pytest.approx(moved.position_m)


def test_a_person_has_the_arm_from_take_to_release():
    desk = Desk().running()
    assert only(desk.say("take")).by_hand
    reply = desk.ask(Kind.MOVE)
    assert reply.target is None
    assert (only(reply).by_hand, only(reply).reason) == (True, "a person has the arm")
    assert desk.say("hold").target is None  # not even a hold is published under a person's hands
    desk.say("resume")
    assert not only(desk.say("release")).by_hand
    assert desk.ask(Kind.MOVE).target is not None


def test_a_guided_arm_is_by_hand_until_somebody_says_release():
    desk = Desk().running()
    assert only(desk.tick(mode=Mode.GUIDING)).by_hand
    assert only(desk.ask(Kind.MOVE)).by_hand
    desk.say("release")
    assert not only(desk.ask(Kind.BEAT)).by_hand


def test_a_lost_agent_holds_the_arm():
    desk = Desk().running()
    desk.now_s += 0.01
    reply = desk.keeper.lost("the agent is gone", arm(desk.now_s), desk.now_s)
    assert (desk.state, only(reply).reason) == ("HOLD", "the agent is gone")
    assert reply.hold


def test_words_nobody_knows_and_verdicts_do_nothing():
    desk = Desk().running()
    for word in ("success", "failure", "", "ARM", "x" * 100):
        assert desk.say(word).answers == ()
    assert desk.state == "RUNNING"


def test_what_was_held_and_refused_is_counted():
    desk = Desk().running()
    desk.ask(Kind.MOVE, gripper=1.0)
    desk.ask(Kind.MOVE, gripper=2.0)
    assert desk.keeper.counts["held GRIPPER"] == 1
    assert desk.keeper.counts["held SHAPE"] == 1
    assert desk.keeper.counts["refused"] == 1
    assert desk.keeper.counts["move"] == 3


def test_a_softened_start_and_a_slow_gripper_do_not_add_up_to_a_fault():
    desk = Desk().running()
    for number in range(30):
        wave = at(HOME, (0.003 * (-1) ** number, 0.0, 0.0))
        answer = only(desk.ask(Kind.MOVE, position_m=floats(wave.position_m), gripper=number % 2))
        assert answer.limits & Limit.GRIPPER
        assert answer.limits & Limit.ACCELERATION
    assert desk.state == "RUNNING"
    for _ in range(9):
        reply = desk.ask(Kind.MOVE, position_m=(0.9, 0.0, 0.9))
    assert desk.state == "HOLD"
    # the last of them is no longer followed
    assert reply.hold
    # what is refused counts as held back, whatever it was refused for
    desk = Desk().running()
    for _ in range(9):
        desk.ask(Kind.MOVE, deadline_s=desk.now_s)
    assert desk.state == "HOLD"


def wandering(desk, stride_m, **changes):
    """Sixty setpoints of a tool that is asked to and fro, ten each way; the limits they met."""
    desk.say("arm")
    desk.ask(Kind.BEGIN, **changes)
    met, x = Limit(0), 0.0
    for number in range(60):
        x += stride_m if number // 10 % 2 == 0 else -stride_m
        place = floats(at(HOME, (x, 0.0, 0.0)).position_m)
        met |= Limit(only(desk.ask(Kind.MOVE, position_m=place, **changes)).limits)
    return met


def test_being_slowed_as_a_new_adapter_is_no_sign_of_a_fault():
    # 4.5 mm a setpoint is 0.225 m/s: less than the cell's 0.25, more than a new adapter's 0.125.
    desk = Desk()
    assert Limit.SPEED in wandering(desk, 0.0045, episode=0)
    assert desk.state == "RUNNING"
    # Of an adapter that is known, asking for twice the speed all the time is one.
    desk = Desk()
    wandering(desk, 0.009)
    assert desk.state == "HOLD"
