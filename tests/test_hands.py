"""Hands that do something else than they are told, and say so."""

import numpy as np
import pytest

from agent.episode import Action, Task
from agent.errors import UsageError
from agent.hands import BorrowedHands, NoisyHands
from agent.settings import RobotSettings
from tests.creeper import Creeper
from tests.point_robot import PointRobot

ASKED = Action(np.array([0.1, 0, 0, 0, 0, 0], np.float32), 1.0)


def task(start=0, seed=0, horizon_steps=100):
    return Task("go-right", "go right", start, horizon_steps, seed)


@pytest.fixture
def stuck():
    """A robot that never arrives, so that its episodes last as long as their horizon."""
    return PointRobot(RobotSettings(shift={"gain": 0.0}))


def test_the_share_of_replaced_actions_is_the_one_asked_for(stuck):
    hands = NoisyHands(stuck, 0.2, seed=1)
    kept = []
    for start in range(10):
        hands.reset(task(start))
        kept.append(hands.step([ASKED] * 100).executed)
    # 1000 steps hold about 67 bursts: a scatter of about 0.2 / sqrt 67 = 0.024
    assert 1 - np.concatenate(kept).mean() == pytest.approx(0.2, abs=0.07)


def test_what_was_done_instead_is_reported(stuck):
    hands = NoisyHands(stuck, 0.5, seed=0)
    hands.reset(task())
    reading = hands.step([ASKED] * 40)
    for action, own in zip(reading.applied, reading.executed, strict=True):
        assert np.array_equal(action.delta, ASKED.delta) == bool(own)
    assert 0 < reading.executed.sum() < 40


def test_the_same_task_gets_the_same_noise(stuck):
    hands = NoisyHands(stuck, 0.3, seed=5)
    done = []
    for seed in (0, 0, 1):
        hands.reset(task(seed=seed))
        done.append(np.stack([action.delta for action in hands.step([ASKED] * 30).applied]))
    assert np.array_equal(done[0], done[1])
    assert not np.array_equal(done[0], done[2])


def test_noise_of_nothing_changes_nothing(stuck):
    hands = NoisyHands(stuck, 0.0, seed=0)
    hands.reset(task())
    reading = hands.step([ASKED] * 50)
    assert reading.executed.all()
    assert all(action is ASKED for action in reading.applied)


@pytest.mark.parametrize("fraction", [0.95, -0.1, float("nan")])
def test_a_fraction_that_makes_no_sense_is_refused(stuck, fraction):
    with pytest.raises(UsageError, match="fraction"):
        NoisyHands(stuck, fraction, seed=0)


def test_a_seed_below_nothing_is_refused(stuck):
    with pytest.raises(UsageError, match="seed"):
        NoisyHands(stuck, 0.1, seed=-1)


def test_a_borrowed_arm_goes_where_its_driver_wants_and_says_so():
    robot = PointRobot(RobotSettings())
    driver = Creeper(-0.3, actions=2)
    hands = BorrowedHands(robot, driver, 1.0, 0.7, seed=0)
    hands.reset(task(horizon_steps=10))
    reading = hands.step([ASKED] * 3)
    assert not reading.executed.any()
    # Three steps of -0.3 x 0.1 to the left, whatever was asked.
    assert reading.track[:, 0] == pytest.approx([-0.03, -0.06, -0.09], abs=1e-6)
    # Both of its decisions answered the view before the step; the next one is of this moment.
    assert driver.shown == [(0.0, 0.0, 0.7)] * 2
    hands.step([ASKED] * 2)
    assert driver.shown[-1][0] == 3.0


def test_a_new_episode_forgets_what_the_driver_had_in_mind():
    driver = Creeper(-0.3, actions=2)
    hands = BorrowedHands(PointRobot(RobotSettings()), driver, 1.0, 0.7, seed=0)
    for _ in range(2):
        hands.reset(task(horizon_steps=10))
        hands.step([ASKED])
    assert len(driver.shown) == 2


def test_an_arm_that_is_not_borrowed_does_as_it_is_told():
    driver = Creeper(-0.3)
    hands = BorrowedHands(PointRobot(RobotSettings()), driver, 0.0, 0.7, seed=0)
    hands.reset(task())
    reading = hands.step([ASKED])
    assert reading.executed.all()
    assert float(reading.track[0, 0]) == pytest.approx(0.01)
    assert driver.shown == []


def test_the_driven_share_is_the_one_asked_for_and_the_same_each_time():
    def drawn():
        hands = BorrowedHands(PointRobot(RobotSettings()), Creeper(-0.3), 0.3, 0.7, seed=2)
        driven = []
        for seed in range(400):
            hands.reset(task(seed=seed))
            driven.append(not hands.step([ASKED]).executed.any())
        return driven

    first = drawn()
    assert first == drawn()
    # 400 draws scatter by sqrt(0.3 x 0.7 / 400) = 0.023.
    assert np.mean(first) == pytest.approx(0.3, abs=0.09)
