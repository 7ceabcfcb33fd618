"""Learning on the top blocks alone, from hidden states that were kept."""

import dataclasses

import pytest
import torch

from agent.errors import DataError, UsageError
from agent.learn.ppo import CANDIDATE, PPOLearner
from agent.learn.record import encode
from agent.learn.views import Keep, keep_of
from agent.policy.checkpoint import build_tiny, load_config, save_checkpoint
from agent.policy.policy import VLAPolicy
from agent.policy.states import States
from agent.policy.tokenizer import load_tokenizer
from tests.learn.played import learning, most_apart, play

torch.set_num_threads(1)

TOP = {"top_layers": 1, "micro_batch": 8}


@pytest.fixture(scope="module", params=["one-pass", "autoregressive"])
def checkpoint(request, point_checkpoint, tmp_path_factory):
    """A fresh VLA for the point robot, decoding either way."""
    known = load_config(point_checkpoint)
    config = dataclasses.replace(known, decoding=request.param)
    folder = tmp_path_factory.mktemp(request.param)
    save_checkpoint(build_tiny(config, 0), load_tokenizer(point_checkpoint, config), folder)
    return folder


def update(folder, out, keep=None, **changes):
    """A policy that played and learned, and the metrics. keep: in place of what is usual."""
    policy = VLAPolicy(folder)
    learner = PPOLearner(policy, learning(**TOP | changes), seed=0)
    if keep is not None:
        learner._keep = learner._forward._keep = keep
    episodes = play(policy, 12)
    for scored in episodes:
        learner.observe(scored)
    return policy, learner.update(episodes, 1, out)


def test_an_update_from_the_cut_is_the_update_without_one(checkpoint, tmp_path):
    policy, metrics = update(checkpoint, tmp_path / "cut")
    other, wanted = update(checkpoint, tmp_path / "whole", keep=Keep())
    ours, theirs = (p.adapters.state(CANDIDATE) for p in (policy, other))
    assert {name.split("layers.")[1][0] for name in ours} == {"1"}
    # Both are float32; passes of other sizes add up in another order, and AdamW's first steps are
    # as long for a small gradient as for a large one: 3e-3 each, of which this is a thirtieth.
    assert most_apart(ours, theirs) < 1e-4
    assert metrics["update/kl_step"] > 1e-5
    for name in ("update/policy_loss", "update/kl_step", "update/kl_reference", "gate/forgetting"):
        assert metrics[name] == pytest.approx(wanted[name], abs=1e-5)


def test_the_ratio_is_one_before_the_first_step(checkpoint, tmp_path):
    _, metrics = update(checkpoint, tmp_path / "cut")
    assert metrics["update/ratio_first"] == pytest.approx(1.0, abs=1e-6)
    assert metrics["update/sampler_gap"] < 1e-4


def test_nothing_below_the_cut_is_run_by_an_update(checkpoint, tmp_path):
    policy = VLAPolicy(checkpoint)
    learner = PPOLearner(policy, learning(**TOP), seed=0)
    episodes, passed = play(policy, 12), set()
    for scored in episodes:
        learner.observe(scored)
    for number, layer in enumerate(policy.model.language_model.model.layers):
        layer.mlp.up_proj.register_forward_hook(lambda *_, number=number: passed.add(number))
    learner.update(episodes, 1, tmp_path / "made")
    assert passed == {1}


def test_what_is_kept_is_the_hidden_states_on_the_cpu_in_the_base_s_precision(checkpoint):
    policy = VLAPolicy(checkpoint)
    keep = keep_of(policy, learning(**TOP))
    assert keep == Keep(cut=1)
    (scored,) = play(policy, 1)
    acted, outline = encode(policy, scored, keep)
    config, count = policy.config, len(scored.episode.steps)
    inputs = policy.batch([step.observation for step in scored.episode.steps])
    sight = config.towers[0].patches * len(config.cameras) + bool(config.proprio_dim)
    after = config.tokens - (config.decoding == "autoregressive")
    length = sight + inputs.prompt_ids.shape[1] + after
    assert isinstance(acted.views, States)
    assert acted.views.hidden.shape == (count, length, policy.model.hidden)
    assert (acted.views.hidden.dtype, acted.views.hidden.device.type) == (policy.dtype, "cpu")
    _, plain = encode(policy, scored, at_once=1)
    torch.testing.assert_close(outline.features, plain.features, atol=2e-5, rtol=1e-5)


def test_what_was_learned_on_top_acts_and_is_learned_from_again(checkpoint, tmp_path):
    policy, _ = update(checkpoint, tmp_path / "0001")
    policy.load(tmp_path / "0001", "0001")
    assert policy.adapters.spec("policy").top == 1
    learner = PPOLearner(policy, learning(**TOP), seed=0)
    episodes = play(policy, 12, seed=1)
    for scored in episodes:
        learner.observe(scored)
    metrics = learner.update(episodes, 2, tmp_path / "0002")
    assert metrics["update/ratio_first"] == pytest.approx(1.0, abs=1e-6)
    views = [step.observation for step in episodes[0].episode.steps]
    policy.load(tmp_path / "0002", "0002")
    assert learner.gap(views, policy.act(views, 1.0)) < 1e-4


@pytest.mark.parametrize(("made", "told"), [(1, 0), (0, 1)])
def test_an_adapter_on_other_blocks_is_not_learned_from(point_checkpoint, tmp_path, made, told):
    policy, _ = update(point_checkpoint, tmp_path / "0001", top_layers=made)
    policy.load(tmp_path / "0001", "0001")
    learner = PPOLearner(policy, learning(top_layers=told), seed=0)
    episodes = play(policy, 12, seed=1)
    for scored in episodes:
        learner.observe(scored)
    with pytest.raises(DataError, match=r"wanted \(learn\.top_layers\), found '0001' on "):
        learner.update(episodes, 2, tmp_path / "0002")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"top_layers": 2}, "this one has 2: 1 to 1 adapt"),
        ({"top_layers": 1, "targets": "all-linear"}, r"wants learn\.targets=language"),
    ],
)
def test_a_cut_that_cannot_be_is_refused_before_anything_is_learned(
    point_checkpoint, changes, said
):
    with pytest.raises(UsageError, match=said):
        PPOLearner(VLAPolicy(point_checkpoint), learning(**changes), seed=0)
