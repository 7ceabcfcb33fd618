"""The critic learns what can be learned, and says when it cannot."""

import torch

from agent.learn.critic import Critic, Targets, fit


def targets(episodes: int, *, informative: bool, seed: int = 0) -> Targets:
    draw = torch.Generator().manual_seed(seed)
    rows = 8 * episodes
    features = torch.randn(rows, 6, generator=draw)
    noise = torch.randn(rows, generator=draw)
    returns = (features[:, 0] > 0).float() if informative else (noise > 0).float()
    return Targets(features, torch.rand(rows, generator=draw), returns, torch.arange(rows) // 8)


def test_a_fresh_critic_values_everything_at_nothing():
    critic = Critic(6, seed=0)
    assert torch.equal(critic.value(torch.randn(3, 6), torch.rand(3)), torch.zeros(3))


def test_it_explains_held_out_returns_that_depend_on_the_features():
    assert fit(Critic(6, seed=0), targets(40, informative=True), seed=0) > 0.3


def test_it_admits_that_noise_cannot_be_explained():
    assert fit(Critic(6, seed=0), targets(40, informative=False), seed=0) < 0.05


def test_too_few_episodes_explain_nothing():
    assert fit(Critic(6, seed=0), targets(3, informative=True), seed=0) == 0.0


def test_fitting_is_a_function_of_the_seed():
    values = []
    for _ in range(2):
        critic = Critic(6, seed=4)
        fit(critic, targets(10, informative=True), seed=4, steps=20)
        values.append(critic.value(torch.ones(1, 6), torch.zeros(1)))
    assert torch.equal(*values)
