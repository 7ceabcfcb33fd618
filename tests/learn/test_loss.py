"""The clipped objective and the exact KL, against figures worked out by hand."""

import math

import pytest
import torch

from agent.learn.loss import clipped_surrogate, cross_entropy, exact_kl

CLIP = (0.2, 0.28)


def surrogate(new, old, advantage, mask=None, group=2):
    new, old = torch.tensor(new), torch.tensor(old)
    mask = torch.ones_like(new, dtype=torch.bool) if mask is None else torch.tensor(mask)
    return clipped_surrogate(new, old, torch.tensor(advantage), mask, CLIP, group)


def test_an_unchanged_policy_has_ratio_one_and_the_mean_advantage_as_gain():
    found = surrogate([[-1.0, -2.0], [-3.0, -1.0]], [[-1.0, -2.0], [-3.0, -1.0]], [2.0, -1.0])
    assert torch.equal(found.ratio, torch.ones(2, 1))
    # advantages 2 and -1 weigh alike: their mean is a half, and a loss is its negative
    assert float(found.loss) == pytest.approx(-0.5)
    assert found.clip_fraction == 0.0


def test_a_large_step_is_clipped_and_counted():
    # Ratio exp(1) = 2.718 is held at 1.28 for a good action: -1.28; for a bad one it is not held.
    good = surrogate([[-0.5, -0.5]], [[-1.0, -1.0]], [1.0])
    assert float(good.loss) == pytest.approx(-1.28)
    assert good.clip_fraction == 1.0
    bad = surrogate([[-0.5, -0.5]], [[-1.0, -1.0]], [-1.0])
    assert float(bad.loss) == pytest.approx(math.e)


def test_tokens_that_were_not_carried_out_do_not_count():
    found = surrogate([[-1.0, 5.0]], [[-1.0, -2.0]], [1.0], mask=[[True, False]])
    assert float(found.ratio) == 1.0


def test_a_group_with_nothing_carried_out_is_left_out_of_the_mean():
    # Group 1 a token: only the first of four counts, with gain 3.
    found = surrogate(
        [[-1.0, -1.0], [-1.0, -1.0]],
        [[-1.0, -1.0], [-1.0, -1.0]],
        [3.0, 5.0],
        mask=[[True, False], [False, False]],
        group=1,
    )
    assert float(found.loss) == pytest.approx(-3.0)


def test_micro_batches_add_up_to_one_batch():
    torch.manual_seed(0)
    old = torch.randn(6, 4)
    weights = torch.randn(6, 4, requires_grad=True)
    advantage, mask = torch.randn(6), torch.ones(6, 4, dtype=torch.bool)
    clipped_surrogate(weights, old, advantage, mask, CLIP, 4).loss.backward()
    whole = weights.grad.clone()
    weights.grad = None
    for part in (slice(0, 3), slice(3, 6)):
        loss = clipped_surrogate(
            weights[part], old[part], advantage[part], mask[part], CLIP, 4
        ).loss
        (loss * 0.5).backward()
    assert torch.allclose(whole, weights.grad, atol=1e-7)


def test_exact_kl_of_two_coins():
    # KL([.5, .5] || [.25, .75]) = .5 ln 2 + .5 ln (2/3) = 0.143841.
    ours = torch.log(torch.tensor([[[0.5, 0.5]]]))
    theirs = torch.log(torch.tensor([[[0.25, 0.75]]]))
    mask = torch.ones(1, 1, dtype=torch.bool)
    assert float(exact_kl(ours, theirs, mask)) == pytest.approx(0.143841, abs=1e-6)
    assert float(exact_kl(ours, ours, mask)) == pytest.approx(0.0, abs=1e-7)


def test_cross_entropy_of_nothing_is_nothing():
    assert float(cross_entropy(torch.tensor([[-3.0]]), torch.tensor([[False]]))) == 0.0
