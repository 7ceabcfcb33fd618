"""A judge's scores become probabilities, and a bar keeps false positives down."""

import json

import numpy as np
import pytest

from agent.errors import DataError
from agent.reward.calibration import episode_score, failures_needed, load, save
from agent.reward.calibrator import bar, fit

MODEL = "vlm/tiny@0123456789ab"


def scored(successes, failures, seed=0, *, sharp=2.0):
    """Scores of a judge whose log odds are `sharp` times too small, and the truth."""
    rng = np.random.default_rng(seed)
    truth = np.arange(successes + failures) < successes
    odds = np.where(truth, 2.0, -2.0) + 2.0 * rng.standard_normal(truth.size)
    return 1.0 / (1.0 + np.exp(-odds / sharp)), truth


def test_the_bar_lets_one_failure_in_fifty_pass_and_lies_above_the_next():
    # 2 % of 50 is 1: 0.9 may pass, 0.8 may not; the next score above 0.8 is a success at 0.82.
    failures = np.concatenate([np.full(48, 0.1), [0.8, 0.9]])
    given = np.concatenate([failures, [0.82, 0.99]])
    assert bar(failures, given, 0.02) == pytest.approx(0.81)
    # of 49 none may: 0.9 stays below, and the next above is 0.99
    assert bar(failures[1:], given, 0.02) == pytest.approx(0.945)


def test_failures_that_tie_at_the_top_all_stay_below_the_bar():
    failures = np.concatenate([np.full(98, 0.1), np.full(2, 0.7), [0.7]])
    theta = bar(failures, np.append(failures, 0.9), 0.02)
    assert theta == pytest.approx(0.8)


def test_a_hundred_and_eighty_nine_clean_failures_are_needed_to_claim_two_percent():
    # z^2 / (n + z^2) <= 0.02 with z^2 = 3.8415: n >= 188.2
    assert failures_needed(0.02) == 189


def test_what_few_failures_cannot_show_is_not_claimed():
    few = fit(*scored(60, 60), MODEL)
    assert few.false_positives / few.negatives <= 0.02
    assert not few.shown
    assert "is not shown: that takes 189 failures" in few.said()
    raw, truth = scored(100, 400)
    sure = fit(np.where(truth, 0.9 + 0.1 * raw, 0.5 * raw), truth, MODEL)
    assert (sure.false_positives, sure.negatives) == (0, 400)
    assert sure.shown
    # no pass in 400: 3.8415 of 403.8415
    assert sure.interval.high == pytest.approx(0.00951, abs=1e-4)


def test_overconfident_scores_become_the_shares_that_came_true():
    # Log odds of truth given an odds draw x: x itself (means +-2, variance 4); scores say x / 2.
    calibration = fit(*scored(2000, 2000), MODEL)
    assert calibration.method == "platt"
    raw = 1.0 / (1.0 + np.exp(-np.array([-1.0, 0.0, 0.75])))
    true = 1.0 / (1.0 + np.exp(-np.array([-2.0, 0.0, 1.5])))
    assert calibration.probability(raw) == pytest.approx(true, abs=0.03)


def test_scores_that_turn_at_a_step_are_better_told_by_isotonic_regression():
    rng = np.random.default_rng(1)
    raw = rng.random(4000)
    truth = rng.random(4000) < np.where(raw < 0.2, 0.05, np.where(raw < 0.9, 0.5, 0.95))
    calibration = fit(raw, truth, MODEL)
    assert calibration.method == "isotonic"
    assert calibration.probability([0.1, 0.5, 0.95]) == pytest.approx([0.05, 0.5, 0.95], abs=0.03)


@pytest.mark.parametrize("seed", range(3))
def test_the_curve_never_ties_two_scores(seed):
    rng = np.random.default_rng(seed)
    raw = rng.random(200)
    calibration = fit(raw, rng.random(200) < raw, MODEL)
    given = np.interp(np.linspace(0, 1, 500), calibration.raw, calibration.chance)
    assert (np.diff(given) > 0).all()
    assert given[0] >= 0
    assert given[-1] <= 1


def test_what_is_kept_is_read_back_and_belongs_to_one_model(tmp_path):
    made = fit(*scored(40, 40), MODEL, views=(2, 3))
    save(tmp_path / "c.json", made)
    assert load(tmp_path / "c.json", MODEL) == made
    assert load(tmp_path / "c.json", MODEL.replace("tiny", "renamed")) == made
    with pytest.raises(DataError, match="was fitted to vlm/tiny@0123456789ab, the judge is other"):
        load(tmp_path / "c.json", "other")


@pytest.mark.parametrize(
    "change", [{"theta": 1.5}, {"raw": [0.0, 0.0]}, {"version": 2}, {"k": 0}, {"model": None}]
)
def test_an_altered_file_is_refused(tmp_path, change):
    save(tmp_path / "c.json", fit(*scored(40, 40), MODEL))
    values = json.loads((tmp_path / "c.json").read_text()) | change
    (tmp_path / "c.json").write_text(json.dumps(values))
    with pytest.raises(DataError):
        load(tmp_path / "c.json", MODEL)


def test_a_judge_that_prefers_failures_cannot_be_calibrated():
    raw, truth = scored(40, 40)
    with pytest.raises(DataError, match="scores failures as high as successes"):
        fit(1 - raw, truth, MODEL)


def test_too_few_episodes_are_refused():
    with pytest.raises(DataError, match="5 successes and 5 failures or more"):
        fit(*scored(40, 4), MODEL)


def test_an_episode_passes_a_bar_exactly_where_k_of_its_last_n_views_do():
    success = [0.99, 0.1, 0.6, 0.9, 0.7]
    assert episode_score(success, 2, 3) == 0.7
    assert episode_score(success, 1, 3) == 0.9
    assert episode_score([0.4], 2, 3) == 0.4
