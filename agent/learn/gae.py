"""Generalised advantage estimation over decisions."""

from __future__ import annotations

import numpy as np

from agent.episode import Float32Array


def advantages(
    rewards: Float32Array,
    values: Float32Array,
    gamma: float,
    gae_lambda: float,
    *,
    terminated: bool,
) -> Float32Array:
    """GAE (Schulman et al. 2016, equation 16) of one episode, (t,) float32.

    rewards: (t,). values: (t + 1,), the last one that of the view after the last decision: it
    is used for an episode that was cut off and ignored for one that terminated.
    """
    ahead = np.array(values[1:], np.float64)
    if terminated and len(ahead):
        ahead[-1] = 0.0
    errors = rewards + gamma * ahead - values[:-1]
    result = np.zeros(len(rewards), np.float64)
    carried = 0.0
    for index in reversed(range(len(rewards))):
        carried = errors[index] + gamma * gae_lambda * carried
        result[index] = carried
    return result.astype(np.float32)


def returns(
    rewards: Float32Array, last_value: float, gamma: float, *, terminated: bool
) -> Float32Array:
    """Discounted Monte-Carlo returns of one episode, (t,) float32; a cut end adds `last_value`."""
    carried = 0.0 if terminated else float(last_value)
    result = np.zeros(len(rewards), np.float64)
    for index in reversed(range(len(rewards))):
        carried = float(rewards[index]) + gamma * carried
        result[index] = carried
    return result.astype(np.float32)
