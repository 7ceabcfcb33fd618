"""Odd outcomes raise an alarm when they are too many for chance, and seldom otherwise."""

import math

import numpy as np
import pytest

from agent.reward.evidence import BLIND, Bet, distance, farthest, usual_rate


def alarm_at(outcomes, rate=0.1, within=96, alpha=0.02):
    bet = Bet(rate, within, alpha)
    for number, odd in enumerate(outcomes, 1):
        bet.take(odd=bool(odd))
        if bet.over:
            return number
    return None


def test_the_stake_grows_as_worked_out_by_hand():
    # q0 = 0.1, q1 = 0.55: odd x 5.5, else x 0.5. Fresh stake 1/4 a round, wanted 1 / 0.1 = 10:
    # (0 + .25) 5.5 = 1.375; (1.375 + .25) 5.5 = 8.94; 9.19 x .5 = 4.59; 4.84 x 5.5 = 26.6
    assert alarm_at([1, 1], 0.1, 4, 0.1) is None
    assert alarm_at([1, 1, 0, 1], 0.1, 4, 0.1) == 4


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.35])
def test_false_alarms_are_rarer_than_promised(rate):
    rng = np.random.default_rng(7)
    runs = 2000
    alarms = sum(alarm_at(rng.random(96) < rate, rate, 96, 0.05) is not None for _ in range(runs))
    # 5 % promised, 100 of 2000; the bound is Ville's, so true rates lie below it
    assert alarms <= 100


@pytest.mark.parametrize(("rate", "within"), [(0.05, 6), (0.2, 12)])
def test_a_judge_that_is_always_odd_is_found_out_soon(rate, within):
    assert alarm_at([1] * 20, rate, 96, 0.02 / 7) <= within


def test_what_went_wrong_late_is_found_as_soon():
    early = alarm_at([1] * 30)
    assert alarm_at([0] * 80 + [1] * 30) <= 80 + early


def test_the_usual_rate_is_an_upper_bound_and_unknown_is_blind():
    # Wilson, z = 1.645: none of 60 gives 2.706 / 62.706
    assert usual_rate(0, 60) == pytest.approx(0.0431, abs=1e-4)
    assert usual_rate(0, 0) > BLIND


def test_a_mixture_in_any_share_is_at_no_distance():
    good, bad = np.linspace(0.8, 1.0, 100), np.linspace(0.0, 0.3, 100)
    for share in (0.0, 0.3, 1.0):
        rng = np.random.default_rng(0)
        drawn = np.concatenate(
            [rng.choice(good, int(400 * share)), rng.choice(bad, int(400 * (1 - share)))]
        )
        assert distance(drawn, good, bad) < 0.07


def test_scores_that_neither_sample_knows_are_far():
    good, bad = np.linspace(0.8, 1.0, 100), np.linspace(0.0, 0.3, 100)
    # all of the mixture's successes lie above 0.5 and all of its failures below it: half is left
    assert distance(np.full(24, 0.5), good, bad) == pytest.approx(0.5, abs=0.02)


def test_the_limit_of_the_distance_is_smirnovs():
    # sqrt(ln(2 / 0.001) / 2 * (24 + 200) / (24 * 200)) = sqrt(3.8005 * 0.046667)
    assert farthest(24, 200, 500, 0.001) == pytest.approx(math.sqrt(3.80045 * 224 / 4800), abs=1e-4)


def test_honest_scores_stay_within_the_limit_at_least_as_often_as_promised():
    rng = np.random.default_rng(3)
    limit, over = farthest(24, 100, 100, 0.05), 0
    for _ in range(400):
        good, bad = rng.beta(8, 2, 100), rng.beta(2, 8, 100)
        share = rng.random()
        truth = rng.random(24) < share
        found = np.where(truth, rng.beta(8, 2, 24), rng.beta(2, 8, 24))
        over += distance(found, good, bad) > limit
    assert over <= 20
