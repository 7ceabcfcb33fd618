"""The VLA behind the Policy seam."""

import dataclasses

import numpy as np
import pytest
import torch

from agent.errors import DataError, SafetyStop, UsageError
from agent.policy.adapters import AdapterSpec
from agent.policy.policy import VLAPolicy
from agent.policy.vla import log_probs

SPEC = AdapterSpec(rank=4, alpha=4.0)


def test_a_decision_carries_its_chunk_its_tokens_and_who_made_it(policy, views):
    decisions = policy.act(views, 1.0)
    assert [len(decision.actions) for decision in decisions] == [2, 2, 2]
    for decision in decisions:
        assert decision.tokens.dtype == np.int16
        assert decision.tokens.shape == decision.log_probs.shape == (14,)
        assert (decision.adapter, decision.temperature) == ("base", 1.0)


def test_inputs_are_normalised_and_kept_small(policy, views):
    inputs = policy.batch(views)
    assert inputs.pixels.dtype == torch.uint8
    assert inputs.pixels.shape == (3, 2, 32, 32, 3)
    # (x - mean) / std with mean 0.5, 0, -1 and std 1, 2, 0.5.
    felt = dataclasses.replace(views[0], proprio=np.array([1.5, 1.0, 99.0], np.float32))
    assert policy.batch([felt]).proprio.tolist() == [[1.0, 0.5, 5.0]]
    assert len(inputs.rows(torch.tensor([2, 0]))) == 2


def test_cameras_are_taken_in_the_order_of_the_config(policy, views):
    view = views[0]
    swapped = dataclasses.replace(view, images=dict(reversed(view.images.items())))
    assert torch.equal(policy.batch([view]).pixels, policy.batch([swapped]).pixels)
    assert (policy.batch([view]).pixels[0, 0].numpy() == view.images["agentview"]).all()


def test_recomputed_log_probabilities_are_the_recorded_ones(policy, views):
    decisions = policy.act(views, 1.3)
    inputs = policy.batch(views)
    tokens = torch.from_numpy(np.stack([d.tokens for d in decisions])).long()
    words = inputs.prompt_ids, inputs.prompt_mask
    logits = policy.model.action_logits(policy.patches(inputs), inputs.proprio, *words, tokens)
    recorded = torch.from_numpy(np.stack([d.log_probs for d in decisions]))
    assert (log_probs(logits, tokens, 1.3) - recorded).abs().max() < 1e-4


def test_no_views_no_decisions(policy):
    assert policy.act([], 1.0) == ()


@pytest.mark.parametrize("temperature", [-1.0, float("nan"), float("inf")])
def test_a_temperature_that_makes_no_sense_is_refused(policy, views, temperature):
    with pytest.raises(UsageError, match="temperature"):
        policy.act(views, temperature)


def test_a_missing_camera_is_named(policy, views):
    blind = dataclasses.replace(views[0], images={"wrist": views[0].images["wrist"]})
    with pytest.raises(DataError, match=r"agentview, wrist; the view has wrist"):
        policy.act([blind], 0.0)


@pytest.mark.parametrize("proprio", [[0.0], [0.0, 0.0, float("nan")]])
def test_proprioception_that_does_not_fit_is_refused(policy, views, proprio):
    odd = dataclasses.replace(views[0], proprio=np.array(proprio, np.float32))
    with pytest.raises(DataError, match="wants 3 finite numbers"):
        policy.act([odd], 0.0)


def test_an_answer_that_is_not_finite_stops_the_arm(policy, views):
    with torch.no_grad():
        policy.model.language_model.lm_head.weight[1100] = float("inf")
    with pytest.raises(SafetyStop):
        policy.act(views, 0.0)


def learned(policy, views, wanted, out):
    """Raise the chance of `wanted` tokens by gradient steps on a LoRA; save it, give the chance."""
    policy.adapters.attach("candidate", SPEC, seed=0)
    policy.adapters.freeze("candidate")
    weights = list(policy.adapters.parameters("candidate").values())
    optimizer = torch.optim.AdamW(weights, lr=3e-2)
    inputs = policy.batch(views)
    words = inputs.prompt_ids, inputs.prompt_mask
    tokens = wanted.expand(len(views), -1)
    with policy.adapters.use("candidate"):
        patches = policy.patches(inputs)
        for _ in range(30):
            logits = policy.model.action_logits(patches, inputs.proprio, *words, tokens)
            optimizer.zero_grad()
            (-log_probs(logits, tokens, 1.0).mean()).backward()
            assert all(weight.grad is not None for weight in weights)
            optimizer.step()
    policy.adapters.save("candidate", out)
    return log_probs(logits, tokens, 1.0).exp().mean().item()


def test_a_raised_probability_is_a_raised_frequency_after_deployment(
    policy, views, folder, tmp_path
):
    wanted = torch.full((1, 14), 9)
    chance = learned(policy, views, wanted, tmp_path / "a1")
    fresh = VLAPolicy(folder)
    fresh.seed(0)
    counts = []
    for adapter in (None, tmp_path / "a1"):
        fresh.load(adapter, "a1")
        drawn = np.stack([d.tokens for d in fresh.act(views * 20, 1.0)])
        counts.append(int((drawn == 9).sum()))
    assert fresh.adapter == "a1"
    # 60 answers of 14 tokens: 840 draws, by luck about 1 in 256 of them the wanted one. When the
    # learner has brought the wanted one to a chance of one half or more, at least 4 standard
    # deviations (14.5 draws each) below 420 are seen: 362.
    assert chance > 0.5
    assert counts[0] < 84
    assert counts[1] > 362


def test_learning_leaves_the_acting_adapter_as_it_was(policy, views, tmp_path):
    policy.adapters.attach("first", SPEC, seed=3)
    policy.adapters.save("first", tmp_path / "first")
    policy.load(tmp_path / "first", "first")
    before = policy.act(views, 0.0)
    learned(policy, views, torch.full((1, 14), 9), tmp_path / "a1")
    after = policy.act(views, 0.0)
    for old, new in zip(before, after, strict=True):
        assert (old.tokens == new.tokens).all()
        assert (old.log_probs == new.log_probs).all()


def test_an_adapter_that_does_not_load_leaves_the_one_before(policy, views, tmp_path):
    learned(policy, views, torch.full((1, 14), 9), tmp_path / "a1")
    policy.load(tmp_path / "a1", "a1")
    before = policy.act(views, 0.0)
    with pytest.raises(DataError):
        policy.load(tmp_path / "absent", "a2")
    assert policy.adapter == "a1"
    after = policy.act(views, 0.0)
    assert (before[0].log_probs == after[0].log_probs).all()


def test_loading_nothing_is_the_base_again(policy, views, tmp_path):
    before = policy.act(views, 0.0)
    learned(policy, views, torch.full((1, 14), 9), tmp_path / "a1")
    policy.load(tmp_path / "a1", "a1")
    assert (policy.act(views, 0.0)[0].log_probs != before[0].log_probs).any()
    policy.load(None, "base")
    after = policy.act(views, 0.0)
    assert after[0].adapter == "base"
    assert (after[0].log_probs == before[0].log_probs).all()


def test_no_adapter_may_be_called_base(policy, tmp_path):
    with pytest.raises(DataError, match="'base' means no adapter"):
        policy.load(tmp_path, "base")
