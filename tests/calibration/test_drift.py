"""When a figure counts as drifted, and how an episode's moves depart from a known response."""

import math

import numpy as np
import pytest

from calibration.departure import departure
from calibration.drift import Sum, normal
from calibration.motion import Motion, respond


def after(watch, values):
    for value in values:
        watch = watch.after(value)
    return watch


def test_noise_alone_rarely_alarms_and_a_shift_of_two_thresholds_soon_does():
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(50):
        watch = Sum(normal(rng.normal(5.0, 0.2, 8), 0.01), threshold=0.6)
        calm = after(watch, rng.normal(5.0, 0.2, 60))
        alarms += calm.alarmed
        # 1.2 off with deviations of 0.2 to 0.5: 2 to 6 deviations a look, less the slack of 1.4.
        assert after(watch, rng.normal(6.2, 0.2, 12)).alarmed
    assert alarms == 0  # of 3,000 looks


def test_one_wild_look_is_no_alarm_and_two_are():
    watch = Sum(normal([0.0] * 8, 0.1), threshold=1.0)
    once = after(watch, [0.0, 50.0])
    assert not once.alarmed
    assert after(once, [0.0, 0.0, 0.0, 0.0]).share < 0.2
    twice = once.after(40.0)
    assert twice.alarmed
    assert twice.off == pytest.approx(45.0)


def test_what_is_below_half_the_threshold_is_borne_for_ever():
    watch = Sum(normal([0.0] * 8, 0.1), threshold=1.0)
    assert not after(watch, [0.45] * 500).alarmed
    assert after(watch, [0.8] * 20).alarmed


def test_a_look_that_tells_nothing_changes_nothing():
    watch = after(Sum(normal([0.0] * 8, 0.1), threshold=1.0), [2.0])
    assert watch.after(math.nan) == watch


def test_a_wild_value_among_the_first_does_not_widen_what_is_normal():
    # Deviation of 0.1 by the median; the plain one would be 3.
    known = normal([0.0, 0.1, -0.1, 0.05, -0.05, 0.1, -0.1, 9.0], 0.01)
    assert known.mean == pytest.approx(0.025)
    assert known.deviation < 2.5


def played(rng, turn=0.0, gain=1.0, drift=0.0, late=0, blocked=0):
    """An arm that goes half of what is left each step, as a first-order lag does."""
    commands = rng.normal(0, 0.5, (50, 3))
    cosine, sine = math.cos(turn), math.sin(turn)
    about = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    due = np.concatenate([np.zeros((late, 3)), commands])[:50] @ about.T * gain
    due[:, 1] += drift
    moves, before = np.zeros((50, 3)), np.zeros(3)
    for number, push in enumerate(due):
        before = 0.4 * before + 0.012 * push
        moves[number] = before
    moves += rng.normal(0, 2e-4, moves.shape)
    moves[:blocked] = 0.0
    return Motion(commands, moves, np.ones(50, bool))


@pytest.fixture(scope="module")
def response():
    rng = np.random.default_rng(1)
    return respond([played(rng) for _ in range(8)])


def test_turn_gain_drift_and_delay_are_told_apart(response):
    rng = np.random.default_rng(2)
    found = departure(response, played(rng, turn=0.3, gain=0.7, drift=0.2, late=2))
    assert found.turn_deg == pytest.approx(math.degrees(0.3), abs=1.0)
    assert found.gain == pytest.approx((0.7, 0.7, 0.7), abs=0.02)
    # 0.2 of a command of 0.012 / (1 - 0.4) = 0.02 m a step.
    assert found.drift_m == pytest.approx((0.0, 0.004, 0.0), abs=3e-4)
    assert found.late_steps == 2


def test_an_arm_blocked_for_a_third_of_an_episode_still_tells_by_the_rest(response):
    found = departure(response, played(np.random.default_rng(3), turn=0.3, blocked=17))
    assert found.turn_deg == pytest.approx(math.degrees(0.3), abs=3.0)


def test_too_short_an_episode_tells_nothing(response):
    whole = played(np.random.default_rng(4))
    short = Motion(whole.commands[:9], whole.moves[:9], whole.free[:9])
    assert math.isnan(departure(response, short).turn_deg)
