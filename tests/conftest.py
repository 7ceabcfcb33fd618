"""What many tests need: a small real VLA in its folder, and a place to run it."""

import pytest
import torch

from agent.policy.action_tokens import stats_to_json
from agent.policy.checkpoint import build_tiny, save_checkpoint
from agent.policy.config import VLAConfig, tiny_text_config, tiny_towers
from agent.policy.tokenizer import PromptTokenizer, tiny_tokenizer

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def point_checkpoint(tmp_path_factory):
    """A fresh VLA that fits tests/point_robot.py and answers nearly at random."""
    config = VLAConfig(
        tiny_text_config(hidden=32, layers=2, heads=2),
        tiny_towers(image_px=32, width=16),
        {"point": stats_to_json([-1.0] * 6 + [0.0], [1.0] * 7)},
        cameras=("agentview", "wrist"),
        proprio_dim=3,
        proprio_mean=(0.0, 0.0, 0.0),
        proprio_std=(0.1, 1.0, 1.0),
        chunk=2,
        decoding="one-pass",
        empty_token_id=3,
    )
    folder = tmp_path_factory.mktemp("point")
    save_checkpoint(build_tiny(config, 0), PromptTokenizer(tiny_tokenizer(), config), folder)
    return folder
