"""A short fuzz of the guard; benchmarks/guard_fuzz.py is the long one."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.guard_fuzz import live
from benchmarks.guard_oracle import Oracle, Seen, Wrong
from benchmarks.guard_play import HAPPENINGS, Play
from bridges.guard.envelope import hold
from bridges.guard.keeper import Reply
from bridges.wire import State
from tests.bridges.guard.cell import BOUNDS, NOW, PROFILE, TEMPO, arm, last, measured, move

ANY = st.floats(allow_nan=True, allow_infinity=True)


@pytest.mark.parametrize("seed", range(9))
def test_no_target_leaves_the_envelope_and_no_latch_comes_off_by_itself(seed: int):
    seen, wrong = live(seed, steps=250)
    assert wrong == ""
    assert seen["steps"] == 250


def test_a_life_moves_the_arm_and_meets_every_state():
    seen = sum((live(seed, steps=400)[0] for seed in (100, 101, 102)), start=type(live(1, 1)[0])())
    assert seen["targets"] > 50
    assert {str(state) for state in State} <= set(seen)


@given(st.lists(st.sampled_from(sorted(HAPPENINGS)), min_size=1, max_size=40),
       st.integers(0, 2**32 - 1))  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_no_order_of_events_brings_a_wrong_target_about(names: list[str], seed: int):
    play = Play(PROFILE, seed)
    for name in ("word to go on", "request begin", "request usual", *names):
        play.step(name)


@given(st.tuples(ANY, ANY, ANY), st.tuples(ANY, ANY, ANY, ANY), ANY, ANY, ANY, ANY)
@settings(max_examples=200, deadline=None)
def test_no_numbers_make_the_envelope_raise_or_answer_out_of_it(
    position, quaternion, gripper, sent_s, deadline_s, now_s
):
    request = move(position_m=position, quaternion_xyzw=quaternion, gripper=gripper,
                   sent_s=sent_s, deadline_s=deadline_s)  # fmt: skip
    held = hold(request, measured(), last(), BOUNDS, now_s)
    assert (held.command is None) is (held.refused is not None)
    if held.command is not None:
        assert np.isfinite(held.command.pose.position_m).all()
        assert 0.0 <= held.command.gripper <= 1.0


@given(st.lists(ANY, min_size=7, max_size=7), st.tuples(ANY, ANY, ANY), ANY, ANY)
@settings(max_examples=200, deadline=None)
def test_no_state_of_the_arm_makes_the_envelope_raise(joints, where, joints_at_s, gripper):
    told = measured()
    pose = replace(told.pose, position_m=np.array(where))
    broken = replace(told, joints_rad=np.array(joints), pose=pose, joints_at_s=joints_at_s,
                     gripper=gripper)  # fmt: skip
    with np.errstate(all="raise"):
        for each in (broken, replace(told, gripper=gripper), replace(told, pose=pose)):
            for previous in (None, last()):
                held = hold(move((0.001, 0, 0)), each, previous, BOUNDS, NOW)
                assert held.command is None or math.isfinite(held.command.gripper)


def test_the_oracle_notices_what_must_not_be():
    reply = Reply(last(pose=replace(measured().pose, position_m=np.array([0.9, 0.0, 0.9]))))
    seen = Seen("request", NOW, arm(), "")
    running = Oracle(BOUNDS, TEMPO, simulated=False, state=State.RUNNING, moved_s=NOW)
    with pytest.raises(Wrong):
        running.judge(seen, reply, State.RUNNING, by_hand=False)
    # Time has run out, the state is sound, and yet nothing holds the arm where it is.
    with pytest.raises(Wrong, match="the old target stays"):
        replace(running, state=State.RUNNING).judge(
            Seen("tick", NOW, arm()), Reply(), State.HOLD, by_hand=False
        )
    for before, after in ((State.FAULT, State.ARMED), (State.HOLD, State.RUNNING)):
        with pytest.raises(Wrong):
            Oracle(BOUNDS, TEMPO, simulated=False, state=before).judge(
                Seen("tick", NOW, arm()), Reply(), after, by_hand=False
            )
