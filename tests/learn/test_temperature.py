"""The success rule, against figures worked out by hand."""

import math

import pytest

from agent.learn.temperature import next_temperature


def test_half_of_the_episodes_leave_it_where_it_is():
    assert next_temperature(1.3, 1.0, 4, 8) == pytest.approx(1.3)


def test_success_makes_it_hotter_and_failure_colder_by_the_same_factor():
    # exp((1 - 1/2) / (1/2 * 4)) = exp(1/4) and its inverse.
    assert next_temperature(1.0, 1.0, 8, 8) == pytest.approx(math.exp(0.25))
    assert next_temperature(1.0, 1.0, 0, 8) == pytest.approx(math.exp(-0.25))


def test_it_stays_within_half_and_twice_what_was_told():
    assert next_temperature(2.9, 1.5, 8, 8) == 3.0
    assert next_temperature(0.8, 1.5, 0, 8) == 0.75


def test_nothing_tried_moves_nothing():
    assert next_temperature(1.1, 1.0, 0, 0) == 1.1
