"""How a loop kept its time, worked out by hand."""

import math

import numpy as np
import pytest

from agent.budget import budget
from agent.budget import said as budget_said
from agent.cadence import Pace, cadence, pace_of, said
from agent.episode import Limit
from calibration.profile import load
from tests.episodes import episode_of


def pace(sent, *, moves=1, wait=0.1, apply=0.002, by_hand=()):
    sent = np.array(sent, np.float64)
    count = len(sent)
    return Pace(
        observed_s=sent - wait,
        decided_s=sent - 0.01,
        sent_s=sent,
        applied_s=sent + apply,
        moves=np.full(count, moves),
        by_hand=np.isin(np.arange(count), by_hand),
        limits=("speed",) * count,
    )


def test_the_rate_is_control_steps_over_the_time_between_first_commands():
    # Two steps each at 0.0, 0.4, 0.8: 4 steps in 0.8 s; the last decision's end is not known.
    found = cadence([pace([0.0, 0.4, 0.8], moves=2)], 5.0)
    assert found.achieved_hz == pytest.approx(5.0)
    assert (found.decisions, found.control_steps, found.over_budget) == (3, 6, 0.0)


def test_a_decision_is_over_budget_beyond_a_tenth_more_than_its_steps_take():
    # Budget of one step at 5 Hz is 0.2 s, over from 0.22: 0.21 is not, 0.30 and 0.23 are.
    found = cadence([pace([0.0, 0.21, 0.51, 0.74])], 5.0)
    assert found.over_budget == pytest.approx(2 / 3)
    assert found.achieved_hz == pytest.approx(3 / 0.74)


def test_the_pause_between_two_episodes_is_nobodys_period():
    found = cadence([pace([0.0, 0.2]), pace([100.0, 100.2])], 5.0)
    assert found.achieved_hz == pytest.approx(5.0)
    assert found.episodes == 2


def test_a_persons_time_is_not_the_loops():
    # The second decision waited a minute while a person had the arm.
    found = cadence([pace([0.0, 0.2, 60.0, 60.2, 60.4], by_hand=[1])], 5.0)
    assert found.achieved_hz == pytest.approx(5.0)
    assert (found.over_budget, found.by_hand) == (0.0, 1)


def test_spans_are_medians_tails_and_worst():
    waits = [pace([float(n)], wait=0.1 + 0.001 * n) for n in range(101)]
    span = cadence(waits, 5.0).spans["observed to applied"]
    # Waits of 100 to 200 ms a millisecond apart, and 2 ms on: the middle is 152, p99 is 201.
    assert (span.p50_s, span.p99_s, span.most_s) == pytest.approx((0.152, 0.201, 0.202))
    assert span.count == 101


def test_what_a_simulator_does_not_measure_is_left_out():
    blind = pace([0.0, 0.1])
    blind.sent_s[:] = blind.applied_s[:] = math.nan
    found = cadence([blind])
    assert list(found.spans) == ["observed to decided"]
    assert found.achieved_hz == pytest.approx(10.0)  # by the answers, for want of commands
    assert math.isnan(found.over_budget)
    assert "wanted" not in said(found)


def test_nothing_recorded_is_no_number_and_no_error():
    found = cadence([], 5.0)
    assert math.isnan(found.achieved_hz)
    assert found.spans == {}
    assert "nan" in said(found)


def test_limits_and_hands_are_said():
    text = said(cadence([pace([0.0, 0.2], by_hand=[0])], 5.0))
    assert "speed 2" in text
    assert "1 decisions" in text


def test_an_episodes_moments_are_its_steps():
    episode = episode_of(steps=3, limits=Limit.SPEED | Limit.BOX)
    found = pace_of(episode)
    assert found.observed_s.tolist() == [s.observation.time_s for s in episode.steps]
    assert found.decided_s.tolist() == [s.times.decided_s for s in episode.steps]
    assert found.sent_s.tolist() == [s.times.sent_s for s in episode.steps]
    assert found.applied_s.tolist() == [s.times.applied_s for s in episode.steps]
    assert sorted(found.limits) == ["box"] * 3 + ["speed"] * 3


def test_the_budget_is_the_way_from_view_to_command_at_the_speed_limit():
    # 100 ms before sending and 2 ms on is 102 ms; at the cell's 0.25 m/s that is 25.5 mm.
    found = budget([pace([0.0, 0.2, 0.4])], load("franka"))
    assert found.reaction.p99_s == pytest.approx(0.102)
    assert found.way_m == pytest.approx(0.0255)
    assert found.held_s == pytest.approx(0.6)  # three periods at 5 Hz
    text = budget_said(found)
    assert "26 mm at 0.25 m/s" in text
    assert "no safety function" in text


def test_a_run_without_a_cell_has_no_way_to_tell():
    found = budget([pace([0.0])], None)
    assert math.isnan(found.way_m)
    assert "mm" not in budget_said(found)
