"""A Franka's episodes: its moves, its limits, and the people beside it."""

import threading
import time

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="pip install vlarl-agent[ros]")

from agent.clock import now_s
from agent.episode import Terminated, Truncated
from agent.errors import Interrupted, RobotFault, UsageError
from agent.protocols import Robot, Supervised
from bridges.franka import FrankaArm
from calibration.profile import load
from tests.bridges.franka_moves import STILL, later, right, settings, task
from tests.bridges.rehearsal import Rehearsal, patient_cell

pytestmark = [pytest.mark.ros, pytest.mark.slow]


def test_it_is_a_supervised_robot_and_its_constructor_touches_nothing():
    before = threading.active_count()
    arm = FrankaArm(settings())
    assert isinstance(arm, Supervised)
    robot: Robot = arm
    assert robot.card.control_hz == 20.0
    arm.rest()
    arm.close()
    arm.close()
    assert threading.active_count() == before


def test_a_task_is_told_in_words():
    (card,) = FrankaArm(settings(task="  Pick up the  red cube, please! ")).tasks()
    assert (card.name, card.instruction) == (
        "pick-up-the-red-cube-please", "Pick up the red cube, please!",
    )  # fmt: skip
    assert not set(card.train) & set(card.gate) & set(card.held_out)
    with pytest.raises(UsageError, match="--task"):
        FrankaArm(settings(task=" ")).tasks()
    with pytest.raises(UsageError, match="no profile is called"):
        FrankaArm(settings(profile="franke"))


def test_every_step_tells_when_it_was_sent_and_in_force(arm):
    view = arm.reset(task(arm))
    asked_s = now_s()
    reading = arm.step([right(0.3)] * 2)
    # seen before asked, asked before sent, in force after, and all of that on one clock
    assert view.time_s < asked_s <= reading.sent_s < reading.applied_s < reading.observation.time_s
    assert reading.applied_s - reading.sent_s < 0.2
    assert reading.executed.tolist() == [True, True]
    assert np.array_equal(reading.applied[0].delta, right(0.3).delta)
    assert not reading.by_hand


def test_a_move_that_the_guard_holds_back_is_told_as_it_was_made(arm):
    arm.reset(task(arm, start=2))
    edge_m = load("tabletop").workspace.high_m[1]
    # 30 full-scale steps of 5 cm, of which a lagging arm makes the half, lead out of any box
    readings = [arm.step([right(1.0)] * 3) for _ in range(10)]
    last = readings[-1]
    assert last.limits
    assert not last.executed[-1]
    assert abs(last.applied[-1].delta[1]) < 0.9
    assert edge_m - 0.02 < last.observation.proprio[1] < edge_m + 0.001


def test_a_person_who_says_success_or_failure_or_stop_ends_the_episode(arm, cell):
    for word, ending in (
        ("success", Terminated("success")),
        ("failure", Terminated("fault")),
        ("stop", Truncated("stopped")),
    ):
        arm.reset(task(arm))
        arm.step([STILL])
        cell.say(word)
        time.sleep(0.1)
        assert arm.step([STILL, STILL]).ending == ending
        with pytest.raises(UsageError):
            arm.step([STILL])
        if word == "stop":
            # the guard holds for that person, and the program does not lift a person's hold
            later(0.5, cell.say, "resume")
            asked_s = now_s()
            arm.reset(task(arm))
            assert now_s() - asked_s > 0.5


def test_a_hold_is_waited_out_and_the_rest_of_the_chunk_left_out(arm, cell):
    arm.reset(task(arm))
    arm.step([right(0.3)])
    later(0.12, cell.say, "hold")
    later(0.9, cell.say, "resume")
    asked_s = now_s()
    reading = arm.step([right(0.5)] * 6)
    assert 0.8 < now_s() - asked_s < 3.0
    assert reading.ending is None
    assert len(reading.applied) == 6
    # the last ones were overtaken by the hold: no move, and not executed
    assert not reading.executed[-2:].any()
    assert not reading.applied[-1].delta.any()
    assert reading.executed[0]
    # and it goes on from where it is
    here = reading.observation.proprio[:3]
    after = arm.step([STILL]).observation.proprio[:3]
    assert after == pytest.approx(here, abs=0.01)


def test_what_a_person_does_with_the_arm_is_told_and_is_not_the_policys(arm, cell):
    arm.reset(task(arm))
    arm.step([STILL])
    cell.say("take")
    time.sleep(0.1)
    reading = arm.step([right(1.0)] * 2)
    assert reading.by_hand
    assert not reading.executed.any()
    # nobody moved it, and what was asked was not published: it stayed
    assert np.abs(reading.applied[1].delta).max() < 0.2
    cell.say("release")
    time.sleep(0.1)
    reading = arm.step([right(0.2)])
    assert not reading.by_hand
    assert reading.executed.all()


def test_a_hold_before_the_first_step_is_a_fault_that_may_be_tried_again(arm, cell):
    arm.reset(task(arm))
    cell.say("hold")
    time.sleep(0.2)
    with pytest.raises(RobotFault, match="hold by a person"):
        arm.step([STILL])
    later(0.3, cell.say, "resume")
    arm.reset(task(arm))
    assert arm.step([STILL]).ending is None


def test_a_waiting_reset_gives_up_when_nobody_wants_it_any_more(arm, cell):
    arm.reset(task(arm))
    arm.step([STILL])
    cell.say("hold")
    time.sleep(0.1)
    arm.rest()
    stop = threading.Event()
    arm.heed(stop.is_set)
    later(0.4, stop.set)
    with pytest.raises(Interrupted):
        arm.reset(task(arm))
    arm.heed(lambda: False)
    cell.say("resume")
    time.sleep(0.2)
    arm.reset(task(arm))


def test_a_real_arm_is_armed_and_its_scene_laid_by_a_person(arm, cell, caplog, until, tmp_path):
    """The same arm under a profile that does not call it simulated, on a graph of its own."""
    arm.close()
    cell.close()
    real = Rehearsal(patient_cell(tmp_path, "franka"))
    mine = FrankaArm(settings(real.profile, "pick up the red cube"))
    done: list[object] = []
    waiting = threading.Thread(target=lambda: done.append(mine.reset(task(mine))))
    stop = threading.Event()
    mine.heed(stop.is_set)
    try:
        real.start()
        waiting.start()
        # nothing happens without a person
        assert until(lambda: "press a" in caplog.text, 20.0)
        assert not done
        real.say("arm")
        assert until(
            lambda: "lay the scene for 'pick up the red cube', start 1" in caplog.text, 20.0
        )
        assert not done
        real.say("resume")
        waiting.join(20.0)
        assert done
        reading = mine.step([right(0.2)])
        assert reading.ending is None
    finally:
        stop.set()
        if waiting.ident:
            waiting.join(5.0)
        mine.close()
        real.close()
