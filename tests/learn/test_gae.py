"""Advantages and returns against figures worked out by hand and against the definition."""

import numpy as np
import pytest

from agent.learn.gae import advantages, returns


def test_a_terminated_episode_ignores_the_value_of_its_last_view():
    # One step: delta = 1 + 0 - 0.4 = 0.6, whatever the last view is worth.
    found = advantages(
        np.array([1.0], np.float32), np.array([0.4, 9.0], np.float32), 0.9, 0.95, terminated=True
    )
    assert found == pytest.approx([0.6])


def test_a_cut_episode_counts_the_value_of_its_last_view():
    # delta = 0 + 0.9 * 0.5 - 0.4 = 0.05.
    found = advantages(
        np.array([0.0], np.float32), np.array([0.4, 0.5], np.float32), 0.9, 0.95, terminated=False
    )
    assert found == pytest.approx([0.05], abs=1e-6)


@pytest.mark.parametrize("terminated", [True, False])
def test_gae_is_the_weighted_sum_of_n_step_advantages(terminated):
    rng = np.random.default_rng(0)
    rewards, values = rng.normal(size=7).astype(np.float32), rng.normal(size=8).astype(np.float32)
    gamma, lam = 0.97, 0.9
    ahead = values.astype(float).copy()
    if terminated:
        ahead[-1] = 0.0
    # Brute force: A_t = sum_l (gamma lam)^l (r_{t+l} + gamma V_{t+l+1} - V_{t+l}).
    brute = [
        sum(
            (gamma * lam) ** (k - t) * (rewards[k] + gamma * ahead[k + 1] - values[k])
            for k in range(t, 7)
        )
        for t in range(7)
    ]
    found = advantages(rewards, values, gamma, lam, terminated=terminated)
    assert found == pytest.approx(np.array(brute), abs=1e-5)


def test_returns_discount_once_a_decision():
    # 0.5^2 * 1 = 0.25, 0.5, 1.
    rewards = np.array([0, 0, 1], np.float32)
    assert returns(rewards, 7.0, 0.5, terminated=True) == pytest.approx([0.25, 0.5, 1.0])
    # Cut off, the last view's 8 comes on top: 8/8, 8/4, 8/2 more.
    assert returns(rewards, 8.0, 0.5, terminated=False) == pytest.approx([1.25, 2.5, 5.0])
