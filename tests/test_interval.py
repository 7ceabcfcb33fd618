"""How sure a success count is, against numbers worked out by hand."""

import math

import pytest

from agent.errors import UsageError
from agent.interval import paired, probability_worse, wilson


def test_wilson_of_no_success_in_ten_starts_at_zero_and_ends_at_z2_over_n_plus_z2():
    # p = 0: (z2/2n + z sqrt(z2/4n2)) / (1 + z2/n) = (z2/n) / (1 + z2/n) = z2 / (n + z2)
    # z = 1.959964, z2 = 3.841459: 3.841459 / 13.841459 = 0.277533
    found = wilson(0, 10)
    assert found.low == 0.0
    assert found.high == pytest.approx(0.277533, abs=1e-6)


def test_wilson_of_eight_in_ten():
    # middle 0.8 + 3.841459/20 = 0.992073; half 1.959964 sqrt(0.16/10 + 3.841459/400)
    # = 1.959964 sqrt(0.0256036) = 0.313614; scale 1.384146: (0.678459, 1.305687) / 1.384146
    found = wilson(8, 10)
    assert found.low == pytest.approx(0.490162, abs=2e-6)
    assert found.high == pytest.approx(0.943318, abs=2e-6)


def test_wilson_of_all_successes_ends_at_exactly_one():
    assert wilson(7, 7).high == 1.0


def test_wilson_of_nothing_tried_is_everything():
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)


def test_wilson_refuses_more_successes_than_trials():
    with pytest.raises(UsageError, match=r"0 \.\. 3 of 3 trials, found 4"):
        wilson(4, 3)


def test_paired_counts_every_state_once():
    found = paired([True, True, False, False, True], [True, False, True, False, False])
    assert (found.both, found.only_first, found.only_second, found.neither) == (1, 2, 1, 1)


def test_paired_test_of_one_against_six_is_an_eighth():
    # seven states differ; 2 (C(7,0) + C(7,1)) / 2^7 = 2 * 8 / 128 = 0.125
    assert paired([True] * 6 + [False], [False] * 6 + [True]).p_value == 0.125


def test_paired_test_of_equal_sides_is_one():
    # one each way: 2 (1 + 2) / 4 = 1.5, cut to 1
    assert paired([True, False], [False, True]).p_value == 1.0


def test_paired_test_with_no_difference_is_one():
    assert paired([True, False], [True, False]).p_value == 1.0


def test_paired_refuses_lists_of_different_length():
    with pytest.raises(UsageError, match="found 2 and 1"):
        paired([True, False], [True])


@pytest.mark.parametrize("drop", [0.0, 0.1, 0.5, 1.0])
def test_two_unknown_rates_give_the_area_of_a_triangle(drop: float):
    # both uniform on the unit square: new < old - d is a triangle of legs 1 - d
    assert probability_worse((0, 0), (0, 0), drop) == pytest.approx((1 - drop) ** 2 / 2, abs=1e-12)


def test_one_success_against_one_failure():
    # densities 2p and 2(1-q): P(q < p) = int_0^1 2p (2p - p^2) dp = 4/3 - 1/2 = 5/6
    assert probability_worse((1, 1), (0, 1)) == pytest.approx(5 / 6, abs=1e-12)


def test_the_same_evidence_twice_is_even_odds_however_much_there_is():
    # P(new < old) = P(old < new) by symmetry
    for trials in (10, 500, 5000):
        assert probability_worse((trials // 3, trials), (trials // 3, trials)) == pytest.approx(
            0.5, abs=1e-9
        )


def test_many_trials_agree_with_the_normal_approximation():
    # 300/500 against 280/500: posteriors Beta(301, 201) and Beta(281, 221), means 0.599602 and
    # 0.559761, variances 0.240080/503 and 0.246429/503; z = 0.039841 / 0.031098 = 1.28114,
    # Phi = 0.8999; skewness leaves a difference below 0.001
    phi = 0.5 * (1 + math.erf(1.28114 / math.sqrt(2)))
    assert probability_worse((300, 500), (280, 500)) == pytest.approx(phi, abs=1e-3)
