"""A Franka's episodes, and everything that can end one: people, faults and limits."""

import signal
import threading
import time

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="pip install vlarl-agent[ros]")

from agent.clock import now_s
from agent.episode import Action, Task, Terminated, Truncated
from agent.errors import Interrupted, RobotFault, SafetyStop, UsageError
from agent.protocols import Robot, Supervised
from agent.settings import RobotSettings
from bridges.franka import FrankaArm
from calibration.profile import load
from tests.bridges.rehearsal import Rehearsal, end, own_domain

pytestmark = [pytest.mark.ros, pytest.mark.slow]

STILL = Action(np.zeros(6, np.float32), 1.0)


def right(share: float) -> Action:
    return Action(np.array([0, share, 0, 0, 0, 0], np.float32), 1.0)


def settings(profile="tabletop", task="touch the mark") -> RobotSettings:
    return RobotSettings(name="franka", profile=profile, task=task)


def task(arm: FrankaArm, horizon_steps=1000, start=1) -> Task:
    (card,) = arm.tasks()
    return Task(card.name, card.instruction, start, horizon_steps)


@pytest.fixture(scope="module")
def cell():
    own_domain()
    cell = Rehearsal("tabletop").start()
    yield cell
    cell.close()


@pytest.fixture(scope="module")
def arm(cell):
    arm = FrankaArm(settings())
    arm.reset(task(arm))
    yield arm
    arm.close()


@pytest.fixture
def whole(cell):
    """Whatever a test broke is whole again."""
    yield cell
    cell.fault("")
    time.sleep(0.3)


def wander(arm: FrankaArm) -> None:
    """To and fro, for ten seconds at most."""
    for number in range(200):
        arm.step([right(0.4 if number % 20 < 10 else -0.4)])


def later(seconds, call, *told):
    timer = threading.Timer(seconds, call, told)
    timer.start()
    return timer


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


@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [
        ("camera_stale@agentview", RobotFault, "camera 'agentview' is .* old"),
        ("camera_frozen@eye_in_hand", RobotFault, "camera 'eye_in_hand' is frozen"),
        ("camera_black@agentview", RobotFault, "camera 'agentview' shows nothing"),
        ("state_dropped", RobotFault, "old, limit 0.20 s"),
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
    time.sleep(1.0)  # the profile lets it think for 0.6 s
    with pytest.raises(RobotFault, match=r"no (request|beat) in time"):
        arm.step([right(1.0)] * 3)
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


def test_ctrl_c_in_the_middle_of_a_step_leaves_the_arm_at_rest(arm):
    import _thread

    arm.reset(task(arm))
    later(0.15, _thread.interrupt_main)
    with pytest.raises(KeyboardInterrupt):
        arm.step([right(0.1)] * 20)
    with pytest.raises(UsageError):
        arm.step([STILL])
    arm.reset(task(arm))
    assert arm.step([STILL]).ending is None


def test_a_second_agent_on_the_same_arm_is_refused(arm):
    arm.reset(task(arm))
    second = FrankaArm(settings())
    with pytest.raises(RobotFault, match="one agent on an arm wanted, process"):
        second.reset(task(second))
    second.close()
    # and the first one is not disturbed
    assert arm.step([STILL]).ending is None


def test_a_guard_that_does_not_answer_ends_the_episode(arm, cell):
    arm.reset(task(arm))
    arm.step([STILL])
    cell.guard.send_signal(signal.SIGSTOP)
    began_s = now_s()
    with pytest.raises(RobotFault, match="answers of the guard"):
        arm.step([STILL] * 2)
    assert now_s() - began_s < 2.5
    cell.guard.send_signal(signal.SIGCONT)
    arm.reset(task(arm))
    assert arm.step([STILL]).ending is None


def test_a_guard_that_ends_ends_the_episode_and_a_new_one_is_found(arm, cell):
    arm.reset(task(arm))
    arm.step([STILL])
    end(cell.guard)
    with pytest.raises(RobotFault):
        arm.step([STILL] * 2)
    later(1.0, cell.start_guard)
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


def test_a_real_arm_is_armed_and_its_scene_laid_by_a_person(arm, cell, caplog):
    """The same arm under a profile that does not call it simulated, on a graph of its own."""
    arm.close()
    cell.close()
    real = Rehearsal("franka").start()
    mine = FrankaArm(settings(profile="franka", task="pick up the red cube"))
    done: list[object] = []
    waiting = threading.Thread(target=lambda: done.append(mine.reset(task(mine))))
    stop = threading.Event()
    mine.heed(stop.is_set)
    try:
        waiting.start()
        # nothing happens without a person
        assert _until(lambda: "press a" in caplog.text, 10.0)
        assert not done
        real.say("arm")
        assert _until(lambda: "lay the scene for 'pick up the red cube', start 1" in caplog.text)
        assert not done
        real.say("resume")
        waiting.join(10.0)
        assert done
        reading = mine.step([right(0.2)])
        assert reading.ending is None
    finally:
        stop.set()
        waiting.join(5.0)
        mine.close()
        real.close()


def _until(true, timeout_s=8.0):
    ends_s = now_s() + timeout_s
    while now_s() < ends_s:
        if true():
            return True
        time.sleep(0.02)
    return False
