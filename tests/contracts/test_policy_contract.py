"""The Policy contract, run on the VLA in both decodings and on copies of it."""

import dataclasses

import numpy as np
import pytest
import torch

from agent.episode import Observation
from agent.errors import UsageError
from agent.policy.action_tokens import stats_to_json
from agent.policy.adapters import AdapterSpec
from agent.policy.checkpoint import build_tiny, save_checkpoint
from agent.policy.config import VLAConfig, tiny_text_config
from agent.policy.policy import VLAPolicy
from agent.policy.replicas import devices_of, replicate
from agent.policy.tokenizer import PromptTokenizer, tiny_tokenizer
from agent.policy.towers import tiny_towers
from agent.policy.usage import Usage
from tests.contracts.policy_contract import PolicyContract, same

CONFIG = VLAConfig(
    tiny_text_config(hidden=32, layers=2, heads=2),
    tiny_towers(image_px=32, width=16),
    {"table": stats_to_json([-1.0] * 7, [1.0] * 7)},
    chunk=2,
    empty_token_id=3,
)


class Pushing:
    """Views of a button, and a checkpoint that can answer them."""

    @pytest.fixture
    def folder(self, request, tmp_path):
        config = dataclasses.replace(CONFIG, decoding=getattr(request, "param", "one-pass"))
        tokenizer = PromptTokenizer(tiny_tokenizer(), config)
        save_checkpoint(build_tiny(config, 0), tokenizer, tmp_path)
        return tmp_path

    @pytest.fixture
    def views(self):
        rng = np.random.default_rng(0)
        images = [rng.integers(0, 256, (32, 32, 3), np.uint8) for _ in range(3)]
        return [
            Observation({"agentview": image}, np.zeros(0, np.float32), "push the button", 0.0)
            for image in images
        ]


@pytest.mark.parametrize("folder", ["one-pass", "autoregressive"], indirect=True)
class TestVLAPolicy(Pushing, PolicyContract):
    @pytest.fixture
    def make(self, folder):
        return lambda: VLAPolicy(folder)

    def test_other_seeds_give_other_answers(self, make, views):
        one, other = make(), make()
        one.seed(1)
        other.seed(2)
        assert not same(one.act(views, 1.0)[0], other.act(views, 1.0)[0])


class TestReplicas(Pushing, PolicyContract):
    @pytest.fixture
    def make(self, folder):
        return lambda: replicate(folder, ("cpu", "cpu"), 1, Usage())

    def test_greedy_answers_are_those_of_one_copy(self, make, folder, views):
        alone = VLAPolicy(folder).act(views, 0.0)
        for ours, theirs in zip(make().act(views, 0.0), alone, strict=True):
            assert np.array_equal(ours.tokens, theirs.tokens)
            assert ours.log_probs == pytest.approx(theirs.log_probs, abs=1e-5)

    def test_every_copy_answers_through_the_adapter_that_was_loaded(self, make, folder, views):
        policy, one = make(), VLAPolicy(folder)
        one.adapters.attach("policy", AdapterSpec(2, 2.0, "language"), 0)
        with torch.no_grad():
            for parameter in one.adapters.parameters("policy").values():
                parameter.normal_(0, 0.5)
        one.adapters.save("policy", folder / "learned")
        policy.load(folder / "learned", "learned")
        one.load(folder / "learned", "learned")
        wanted = [decision.tokens.tolist() for decision in one.act(views, 0.0)]
        found = policy.act(views, 0.0)
        assert [decision.tokens.tolist() for decision in found] == wanted
        assert {decision.adapter for decision in found} == {"learned"} == {policy.adapter}
        policy.load(None, "base")
        bare = VLAPolicy(folder).act(views, 0.0)
        assert [d.tokens.tolist() for d in policy.act(views, 0.0)] == [
            d.tokens.tolist() for d in bare
        ]
        assert [d.tokens.tolist() for d in bare] != wanted


def test_all_devices_where_there_is_no_gpu_is_an_error_that_says_so():
    if torch.cuda.is_available():
        pytest.skip("a GPU is here")
    with pytest.raises(UsageError, match="no CUDA device"):
        devices_of("all")
