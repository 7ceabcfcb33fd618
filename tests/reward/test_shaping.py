"""Rewards out of judgements, in three parts."""

from dataclasses import replace

import numpy as np
import pytest

from agent.episode import Limit, RewardSignal, ScoredEpisode, Terminated, Verdict
from agent.reward.shaping import shape
from tests.reward.judged import WON, episode_of


def scored(progress, verdict, ending=None, episode=None):
    episode = episode or episode_of(*[0.0] * len(progress), ending=ending)
    signal = RewardSignal(np.array(progress, np.float32), 0.5, verdict, "rule/1")
    return ScoredEpisode(episode, signal)


def progress(judged, mode="potential", gamma=0.9):
    return shape(judged, gamma, 0.5, mode).progress.tolist()


def test_potential_shaping_pays_for_progress_and_takes_back_what_is_lost():
    # 0.5 (0.9 x 0.5 - 0.2) = 0.125; 0.5 (0.9 x 0.4 - 0.5) = -0.07
    found = progress(scored([0.2, 0.5, 0.4], Verdict.FAILURE))
    assert found == pytest.approx([0.125, -0.07])


def test_the_plain_sum_pays_for_being_there():
    assert progress(scored([0.2, 0.5, 0.4], Verdict.FAILURE), "sum") == pytest.approx([0.25, 0.2])


def test_the_last_potential_is_the_verdict_and_not_what_was_seen():
    # 0.5 (0.9 x 1 - 0.2) = 0.35, whether the world or the judge ended it
    for ending in (WON, None):
        assert progress(scored([0.2, 0.4], Verdict.SUCCESS, ending)) == pytest.approx([0.35])
    # 0.5 (0 - 0.2) = -0.1: nothing is left of what a failure seemed to be
    failed = scored([0.2, 0.4], Verdict.FAILURE, Terminated("fault"))
    assert progress(failed) == pytest.approx([-0.1])


def test_what_nobody_knows_keeps_what_was_seen_and_earns_no_success():
    judged = scored([0.2, 0.4], Verdict.UNKNOWN, WON)
    assert progress(judged) == pytest.approx([0.08])  # 0.5 (0.9 x 0.4 - 0.2)
    assert shape(judged, 0.9, 0.5).sparse.tolist() == [0.0]


def test_standing_still_earns_nothing_but_the_discount():
    assert progress(scored([0.5] * 4, Verdict.FAILURE), gamma=1.0) == [0.0, 0.0, 0.0]


def test_the_sum_of_potentials_is_known_beforehand():
    # With gamma 1 all that lies between cancels: 0.5 (1 - 0.1).
    judged = scored([0.1, 0.9, 0.3, 0.6], Verdict.SUCCESS, WON)
    assert sum(progress(judged, gamma=1.0)) == pytest.approx(0.45)


def test_only_what_a_guard_changed_is_fined_and_apart_from_the_rest():
    episode = episode_of(*[0.0] * 4)
    changed = np.zeros(1, bool)
    cut, by_hand, driven = (
        replace(step, executed=changed, limits=limits, by_hand=hand)
        for step, limits, hand in zip(
            episode.steps, (Limit.STEP, Limit.STEP, Limit(0)), (False, True, False), strict=True
        )
    )
    judged = scored(
        [0.0] * 4, Verdict.SUCCESS, None, replace(episode, steps=(cut, by_hand, driven))
    )
    rewards = shape(judged, 1.0, 0.0, penalty_weight=0.2)
    assert rewards.penalty.tolist() == pytest.approx([-0.2, 0.0, 0.0])
    assert rewards.sparse.tolist() == [0.0, 0.0, 1.0]
    assert rewards.progress.tolist() == [0.0, 0.0, 0.0]
    assert rewards.total.tolist() == pytest.approx([-0.2, 0.0, 1.0])
    assert shape(judged, 1.0, 0.0).penalty.tolist() == [0.0, 0.0, 0.0]
