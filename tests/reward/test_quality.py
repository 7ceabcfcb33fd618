"""A judge's figures: areas, orders and intervals worked out by hand."""

import numpy as np
import pytest

from agent.errors import UsageError
from agent.reward.quality import _area, mean, order, roc, spearman


def test_the_area_is_the_share_of_pairs_in_the_right_order():
    # 0.9 is above 0.5 and 0.1, 0.5 above 0.1 and level with 0.5: (1 + 1 + 1 + 1/2) / 4.
    found = roc([True, True, False, False], [0.9, 0.5, 0.5, 0.1])
    assert found.area.value == pytest.approx(0.875)
    assert found.area.n == 4
    assert found.false_positive_rate[[0, -1]].tolist() == [0.0, 1.0]


def test_the_quick_area_of_resamples_is_scikit_learns():
    rng = np.random.default_rng(3)
    truth = rng.random(60) < 0.5
    score = np.round(truth * 0.3 + rng.random(60), 1)  # with draws
    assert _area(score[truth], score[~truth]) == pytest.approx(roc(truth, score).area.value)


def test_the_interval_of_an_area_shrinks_with_more_episodes_and_holds_it():
    rng = np.random.default_rng(1)
    widths = []
    for count in (20, 500):
        truth = np.arange(count) % 2 == 0
        area = roc(truth, truth + rng.normal(0, 1, count)).area
        # Normal scores one sigma apart: the area is Phi(1/sqrt 2) = 0.760.
        assert area.low <= 0.760 <= area.high
        widths.append(area.high - area.low)
    assert widths[1] < widths[0] / 3


def test_of_successes_alone_there_is_no_area():
    assert roc([True, True], [0.1, 0.9]) is None


def test_each_truth_wants_a_score():
    with pytest.raises(UsageError, match="score"):
        roc([True, False], [0.5])


def test_order_is_one_where_progress_only_rises_and_minus_one_backwards():
    assert order([0.0, 0.1, 0.5, 0.6]) == pytest.approx(1.0)
    assert order([0.9, 0.5, 0.4, 0.0]) == pytest.approx(-1.0)
    # Ranks 1 3 2 4 against 1 2 3 4: 1 - 6 (0 + 1 + 1 + 0) / (4 * 15) = 0.8.
    assert order([0.0, 0.5, 0.4, 1.0]) == pytest.approx(0.8)


def test_what_never_changes_tells_nothing():
    assert spearman([0.5, 0.5, 0.5], [0.0, 0.5, 1.0]) == 0.0
    assert order([0.3]) == 0.0


def test_a_mean_comes_with_the_interval_of_its_resamples():
    found = mean([0.0, 1.0] * 50)
    # The mean of 100 tosses has sigma 0.05: 95 % lie within about 0.1.
    assert found.value == 0.5
    assert found.low == pytest.approx(0.40, abs=0.03)
    assert found.high == pytest.approx(0.60, abs=0.03)
    assert mean([]) is None
