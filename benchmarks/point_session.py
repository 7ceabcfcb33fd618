"""A session small enough to be run hundreds of times: a fresh little VLA and the point robot."""

from __future__ import annotations

from pathlib import Path

import torch

from agent.policy.action_tokens import stats_to_json
from agent.policy.checkpoint import build_tiny, save_checkpoint
from agent.policy.config import VLAConfig, tiny_text_config
from agent.policy.tokenizer import PromptTokenizer, tiny_tokenizer
from agent.policy.towers import tiny_towers
from agent.settings import Settings

ROBOT = "tests.point_robot:PointRobot"


def save_point_checkpoint(folder: Path, decoding: str = "one-pass") -> Path:
    """Write a VLA that fits the point robot and answers much at random; gives the folder."""
    config = VLAConfig(
        tiny_text_config(hidden=32, layers=2, heads=2),
        tiny_towers(image_px=32, width=16),
        {"point": stats_to_json([-1.0] * 6 + [0.0], [1.0] * 7)},
        cameras=("agentview", "wrist"),
        proprio_dim=3,
        proprio_mean=(0.0, 0.0, 0.0),
        proprio_std=(0.1, 1.0, 1.0),
        chunk=2,
        decoding=decoding,  # type: ignore[arg-type]  # checked when it is built
        empty_token_id=3,
    )
    model = build_tiny(config, 0)
    with torch.no_grad():
        # The hidden state has a fixed length and adapters leave the head alone: with the rows of
        # a fresh head, no state at all could make one bin twice as likely as another.
        model.language_model.lm_head.weight.mul_(10)
    save_checkpoint(model, PromptTokenizer(tiny_tokenizer(), config), folder)
    return folder


def point_settings(checkpoint: Path, episodes: int, seed: int) -> Settings:
    """Settings of a session that learns every four episodes, and lets every candidate act."""
    return Settings.model_validate(
        {
            "run": {"episodes": episodes, "seed": seed},
            "robot": {"name": ROBOT},
            "policy": {"checkpoint": str(checkpoint)},
            "learn": {
                "every_episodes": 4,
                "warmup_episodes": 4,
                "learning_rate": 3e-3,
                "rank": 4,
                "kl_stop": 1.0,
            },
            "gate": {"max_kl": 50.0, "max_forgetting": 50.0},
        }
    )
