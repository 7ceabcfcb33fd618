"""Tokens to actions and back, over every bin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.episode import Action
from agent.errors import DataError
from agent.policy import action_tokens as at

STATS = at.read_stats(
    {"t": at.stats_to_json([-2, -1, 0, -1, -1, -1, 0], [2, 1, 4, 1, 1, 1, 1])}, ""
)
EVERY = np.arange(256)


def test_every_bin_but_the_last_survives_decoding_and_encoding():
    assert (at.to_bins(at.to_values(EVERY[:255])) == EVERY[:255]).all()
    # 256 edges leave 255 centres: the last two bins share one.
    assert at.to_values(EVERY)[255] == at.to_values(EVERY)[254]


def test_published_ids_run_from_31744_for_plus_one_to_31999_for_minus_one():
    # id = 32000 - digitize: digitize(-1) = 1 and digitize(1) = 256.
    assert at.bins_to_ids(at.to_bins(np.array([-1.0, 1.0])), 32000).tolist() == [31999, 31744]
    # The outermost centres lie 1/255 inside.
    ends = at.to_values(at.ids_to_bins(np.array([31999, 31745, 31744]), 32000))
    np.testing.assert_allclose(ends, [-254 / 255, 254 / 255, 254 / 255], atol=1e-12)


def test_ids_and_bins_are_one_to_one():
    ids = at.bins_to_ids(EVERY, 1280)
    assert set(ids.tolist()) == set(range(1024, 1280))
    assert (at.ids_to_bins(ids, 1280) == EVERY).all()


@given(st.floats(-1, 1))
def test_a_value_moves_by_half_a_bin_at_most(value):
    back = at.to_values(at.to_bins(np.array([value])))
    assert abs(back[0] - value) <= 1 / 255 + 1e-12


@given(st.lists(st.integers(0, 254), min_size=7, max_size=7))
def test_actions_survive_the_round_trip_in_robot_units(bins):
    bins = np.array(bins)
    bins[6] = max(bins[6], 127)  # the gripper's opening is never below 0: bin 127 is centred on 0
    actions = at.to_actions(bins, STATS)
    assert (at.from_actions(actions, STATS) == bins).all()


def test_unnormalising_scales_the_delta_and_leaves_the_gripper():
    # bin 127 is the middle centre, 0: so x = -2 + 0.5 * 4 = 0 and z = 0 + 0.5 * 4 = 2;
    # bin 254 is 254/255: y = -1 + 0.5 * (1 + 254/255) * 2 = 254/255. Gripper 254/255, unscaled.
    (action,) = at.to_actions(np.array([127, 254, 127, 127, 127, 127, 254]), STATS)
    np.testing.assert_allclose(action.delta[:3], [0.0, 254 / 255, 2.0], atol=1e-6)
    assert action.gripper == pytest.approx(254 / 255)
    assert action.delta.dtype == np.float32


def test_a_gripper_below_zero_is_closed():
    (action,) = at.to_actions(np.array([127] * 6 + [0]), STATS)
    assert action.gripper == 0.0


def test_a_chunk_becomes_its_actions_in_order():
    first, second = at.to_actions(np.array([0] * 7 + [254] * 7), STATS)
    assert first.delta[0] < 0 < second.delta[0]


@pytest.mark.parametrize(
    "bins",
    [
        np.array([0] * 6),
        np.array([0] * 6 + [256]),
        np.array([-1] + [0] * 6),
        np.zeros(7),
        np.zeros((7, 1), int),
        np.array([], int),
    ],
)
def test_malformed_tokens_never_become_motion(bins):
    with pytest.raises(DataError):
        at.to_actions(bins, STATS)


@pytest.mark.parametrize("token", [1023, 1280, 0])
def test_a_word_is_no_action(token):
    with pytest.raises(DataError, match="not all actions"):
        at.ids_to_bins(np.array([token]), 1280)


def test_an_action_that_is_not_finite_cannot_be_encoded():
    with pytest.raises(DataError, match="finite"):
        at.from_actions([Action(np.full(6, np.nan, np.float32), 0.0)], STATS)


@pytest.mark.parametrize(
    ("stats", "key"),
    [
        ({}, ""),
        ({"a": at.stats_to_json([0] * 7, [1] * 7)}, "b"),
        ({"a": at.stats_to_json([0] * 6, [1] * 6)}, "a"),
        ({"a": at.stats_to_json([2] * 7, [1] * 7)}, "a"),
        ({"a": at.stats_to_json([float("nan")] * 7, [1] * 7)}, "a"),
        ({"a": {"action": {"q01": [0] * 7}}}, "a"),
    ],
)
def test_statistics_that_cannot_be_used_are_refused(stats, key):
    with pytest.raises(DataError, match="action statistics"):
        at.read_stats(stats, key)
