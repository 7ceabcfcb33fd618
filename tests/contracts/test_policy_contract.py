"""The Policy contract, run on the VLA in both decodings."""

import dataclasses

import numpy as np
import pytest

from agent.episode import Observation
from agent.policy.action_tokens import stats_to_json
from agent.policy.checkpoint import build_tiny, save_checkpoint
from agent.policy.config import VLAConfig, tiny_text_config
from agent.policy.policy import VLAPolicy
from agent.policy.tokenizer import PromptTokenizer, tiny_tokenizer
from agent.policy.towers import tiny_towers
from tests.contracts.policy_contract import PolicyContract, same

CONFIG = VLAConfig(
    tiny_text_config(hidden=32, layers=2, heads=2),
    tiny_towers(image_px=32, width=16),
    {"table": stats_to_json([-1.0] * 7, [1.0] * 7)},
    chunk=2,
    empty_token_id=3,
)


@pytest.mark.parametrize("folder", ["one-pass", "autoregressive"], indirect=True)
class TestVLAPolicy(PolicyContract):
    @pytest.fixture
    def folder(self, request, tmp_path):
        config = dataclasses.replace(CONFIG, decoding=request.param)
        tokenizer = PromptTokenizer(tiny_tokenizer(), config)
        save_checkpoint(build_tiny(config, 0), tokenizer, tmp_path)
        return tmp_path

    @pytest.fixture
    def make(self, folder):
        return lambda: VLAPolicy(folder)

    @pytest.fixture
    def views(self):
        rng = np.random.default_rng(0)
        images = [rng.integers(0, 256, (32, 32, 3), np.uint8) for _ in range(3)]
        return [
            Observation({"agentview": image}, np.zeros(0, np.float32), "push the button", 0.0)
            for image in images
        ]

    def test_other_seeds_give_other_answers(self, make, views):
        one, other = make(), make()
        one.seed(1)
        other.seed(2)
        assert not same(one.act(views, 1.0)[0], other.act(views, 1.0)[0])
