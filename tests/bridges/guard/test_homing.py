"""The way home: smooth, held to the envelope, and given up when anything speaks against it."""

import numpy as np
import pytest

from bridges.wire import UNASKED, Kind, State
from tests.bridges.guard.cell import HOME, Desk, at, measured
from tests.bridges.guard.test_keeper import only


class Homing(Desk):
    """A desk whose arm does follow, and whose agent beats."""

    def __init__(self) -> None:
        super().__init__()
        self.where = at(HOME, (0.04, 0.03, -0.05))
        self.beats = True

    def tick(self, after_s: float = 0.02, **changes):
        if self.beats:
            self.ask(Kind.BEAT, 0.0, next_s=self.now_s + 2.0)
        told = measured(pose=self.where, joints_at_s=self.now_s, pose_at_s=self.now_s)
        reply = super().tick(after_s, **{"measured": told, **changes})
        if reply.target is not None:
            self.where = reply.target.pose
        return reply


def test_the_way_home_is_smooth_and_ends_there():
    desk = Homing()
    desk.say("arm")
    asked = desk.ask(Kind.HOME)
    assert only(asked).sequence == UNASKED
    steps, before = [], desk.where.position_m
    for _ in range(200):
        reply = desk.tick()
        steps.append(float(np.linalg.norm(desk.where.position_m - before)))
        before = desk.where.position_m
        if reply.answers:
            break
    answer = only(reply)
    assert (answer.sequence, answer.state, answer.reason) == (1, State.ARMED, "")
    assert before == pytest.approx(HOME.position_m, abs=1e-9)
    # half of 0.25 m/s, and half of it again for slowness: 1.25 mm a setpoint at most
    assert max(steps) == pytest.approx(0.00125, rel=1e-6)


def test_a_way_home_that_is_cut_short_is_answered_and_no_episode_is_left():
    desk = Homing()
    desk.say("arm")
    number = only(desk.ask(Kind.HOME)) and desk.sequence
    desk.tick()
    reply = desk.say("stop")
    assert [answer.sequence for answer in reply.answers] == [number, UNASKED]
    assert desk.state == "HOLD"
    desk.say("resume")
    assert desk.state == "ARMED"
    assert not desk.keeper.machine.episode


def test_an_arm_that_does_not_get_home_is_held():
    desk = Homing()
    desk.say("arm")
    desk.ask(Kind.HOME)
    for _ in range(200):
        stuck = measured(joints_at_s=desk.now_s + 0.1, pose_at_s=desk.now_s + 0.1,
                         pose=at(HOME, (0.03, 0.0, 0.0)))  # fmt: skip
        desk.ask(Kind.BEAT, 0.0, next_s=desk.now_s + 2.0)
        reply = Desk.tick(desk, 0.2, measured=stuck)
        if desk.state != "RUNNING":
            break
    assert desk.state == "HOLD"
    assert "home was not reached in 30 s" in reply.answers[0].reason


def test_an_agent_that_falls_silent_on_the_way_home_stops_it():
    desk = Homing()
    desk.say("arm")
    number = only(desk.ask(Kind.HOME)) and desk.sequence
    for _ in range(10):
        assert desk.tick().target is not None
    # the last beat was a setpoint ago; 0.6 s are borne, which are 29 setpoints more
    desk.beats = False
    assert all(desk.tick().target for _ in range(29))
    assert desk.state == "RUNNING"
    reply = desk.tick()
    assert desk.state == "HOLD"
    answer = reply.answers[0]
    assert (answer.sequence, answer.reason) == (number, "no beat in time on the way home")


def test_a_way_home_that_a_person_wants_needs_no_agent():
    desk = Homing()
    desk.beats = False
    desk.say("arm")
    desk.say("home")
    assert all(desk.tick().target for _ in range(40))
    assert desk.state == "RUNNING"


def test_setpoints_on_the_way_home_are_not_followed_and_hands_end_it():
    desk = Homing().running()
    desk.ask(Kind.REST)
    assert desk.say("home").why == ""
    assert only(desk.ask(Kind.MOVE)).reason == "on the way home"
    desk.say("take")
    reply = desk.tick()
    assert desk.state == "HOLD"
    assert reply.target is None


def test_nobody_is_sent_home_out_of_a_persons_hands():
    desk = Homing()
    desk.say("arm")
    desk.say("take")
    assert "a person has the arm" in only(desk.ask(Kind.HOME)).reason
    assert desk.state == "ARMED"
