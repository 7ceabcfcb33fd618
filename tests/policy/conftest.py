"""A small real VLA, its folder, and views of noise."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from agent.episode import Observation
from agent.policy.action_tokens import stats_to_json
from agent.policy.checkpoint import build_tiny, save_checkpoint
from agent.policy.config import VLAConfig, tiny_text_config
from agent.policy.policy import VLAPolicy
from agent.policy.tokenizer import PromptTokenizer, tiny_tokenizer
from agent.policy.towers import tiny_towers

torch.set_num_threads(1)

ONE_PASS = VLAConfig(
    tiny_text_config(hidden=32, layers=2, heads=2),
    tiny_towers(image_px=32, width=16),
    {"table": stats_to_json([-1.0] * 7, [1.0] * 7)},
    cameras=("agentview", "wrist"),
    proprio_dim=3,
    proprio_mean=(0.5, 0.0, -1.0),
    proprio_std=(1.0, 2.0, 0.5),
    chunk=2,
    decoding="one-pass",
    empty_token_id=3,
)
IN_TURN = dataclasses.replace(ONE_PASS, decoding="autoregressive")


def lively(config, seed=0):
    """A fresh model whose answers depend clearly on what it is shown."""
    model = build_tiny(config, seed)
    with torch.no_grad():
        for parameter in model.language_model.parameters():
            if parameter.ndim == 2:
                parameter.mul_(10)
    return model


@pytest.fixture(scope="session")
def config():
    return ONE_PASS


@pytest.fixture(scope="session", params=[ONE_PASS, IN_TURN], ids=["one-pass", "in-turn"])
def folder(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint")
    tokenizer = PromptTokenizer(tiny_tokenizer(), request.param)
    save_checkpoint(lively(request.param), tokenizer, path)
    return path


@pytest.fixture
def policy(folder):
    return VLAPolicy(folder)


@pytest.fixture
def views():
    rng = np.random.default_rng(0)
    words = ("pick up the red cube", "push", "put the blue ball in the basket and close the drawer")
    return [
        Observation(
            {name: rng.integers(0, 256, (32, 32, 3), np.uint8) for name in ("agentview", "wrist")},
            rng.normal(size=3).astype(np.float32),
            word,
            0.0,
        )
        for word in words
    ]
