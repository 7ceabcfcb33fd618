"""What a policy answers is looked at before any robot is asked."""

import math

import numpy as np
import pytest

from agent.episode import Action, Decision
from agent.errors import NoMove, SafetyStop
from agent.moves import must_be_moves


def decision(*actions):
    none = np.zeros(0, np.float32)
    return Decision(actions, none.astype(np.int16), none, "0003", 1.0)


GOOD = Action(np.zeros(6, np.float32), 1.0)


def test_finite_moves_of_six_numbers_pass():
    must_be_moves(decision(GOOD, GOOD))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_refused_with_its_place_and_adapter(bad):
    delta = np.array([0, 0, bad, 0, 0, 0], np.float32)
    with pytest.raises(NoMove, match=r"nonfinite_action.*action 1 of adapter '0003'"):
        must_be_moves(decision(GOOD, Action(delta, 1.0)))
    with pytest.raises(NoMove, match="nonfinite_action"):
        must_be_moves(decision(Action(np.zeros(6, np.float32), bad)))


@pytest.mark.parametrize(
    "delta", [np.zeros(7, np.float32), np.zeros((1, 6), np.float32), np.zeros(6, np.int64)]
)
def test_a_wrong_shape_or_kind_is_refused_and_the_right_one_named(delta):
    with pytest.raises(NoMove, match="6 floats wanted in action 0"):
        must_be_moves(decision(Action(delta, 1.0)))


def test_an_answer_without_an_action_is_refused():
    with pytest.raises(NoMove, match="found none"):
        must_be_moves(decision())


def test_it_ends_a_command_as_a_safety_stop_does():
    assert NoMove.exit_code == SafetyStop.exit_code == 7
