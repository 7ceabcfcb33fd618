"""How an update is made: the numbers of learning, each with its unit and range."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agent.settings_table import Count, Table


class LearnSettings(Table):
    """How an update is made. Defaults are the `robot` preset."""

    preset: Literal["robot", "faithful"] = Field("robot", description="set of defaults")
    rule: Literal["ppo", "rft", "rloo", "grpo"] = Field(
        "ppo",
        description="what an update follows: ppo; rft: clone successes; rloo, grpo: compare the "
        "episodes of one start state (run.group)",
    )
    every_episodes: int = Field(8, ge=1, description="episodes between updates")
    rank: int = Field(16, ge=1, le=1024, description="LoRA rank")
    alpha: float = Field(16.0, gt=0, description="LoRA alpha")
    targets: Literal["language", "language+projector", "all-linear"] = Field(
        "language", description="which linear layers get an adapter"
    )
    top_layers: Count = Field(
        0, description="blocks of the language model that get one, from the top; 0: all"
    )
    learning_rate: float = Field(1.5e-3, gt=0, le=1, description="AdamW step size of the adapter")
    epochs: int = Field(3, ge=1, le=100, description="passes over a batch, at most")
    minibatch: int = Field(32, ge=1, description="decisions a gradient step")
    micro_batch: int = Field(64, ge=1, description="decisions a forward pass")
    clip_low: float = Field(0.2, gt=0, lt=1, description="ratio clip below 1")
    clip_high: float = Field(0.28, gt=0, le=10, description="ratio clip above 1")
    gamma: float = Field(0.93, gt=0, le=1, description="discount a decision")
    gae_lambda: float = Field(0.5, ge=0, le=1, description="GAE lambda")
    ratio: Literal["decision", "action", "token"] = Field(
        "action", description="what one probability ratio covers"
    )
    shaping: Literal["potential", "sum"] = Field(
        "potential", description="how progress becomes reward"
    )
    kl_weight: float = Field(0.01, ge=0, description="weight of the exact KL to the start adapter")
    clone_weight: float = Field(
        0.0, ge=0, description="weight of cross-entropy on successful episodes"
    )
    replay: Count = Field(
        0, description="last successes before this update that are cloned too, by clone_weight"
    )
    kl_stop: float = Field(0.02, gt=0, description="stop above this KL(old||new) a token, nats")
    grad_clip: float = Field(1.0, gt=0, description="gradient norm limit")
    progress_weight: float = Field(
        0.0, ge=0, le=0.5, description="weight of potential-based progress, in success units"
    )
    checkpointing: bool = Field(
        default=False, description="recompute activations: less memory, a third more time"
    )
    penalty_weight: float = Field(
        0.0, ge=0, le=0.5, description="fine for a decision that a guard changed, in success units"
    )
    warmup_episodes: int = Field(5, ge=0, description="episodes before the first update")
    experience: bool = Field(
        default=True, description="let the critic begin with what the checkpoint brings"
    )
    memory: int = Field(
        32768, ge=1, description="decisions the critic is fitted on, at most; the oldest go first"
    )
    control: Literal["", "random-advantage"] = Field(
        "", description="learn from noise, to show that learning needs the reward"
    )
