"""Every number the agent can be told, with its unit and range."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agent.settings_learning import LearnSettings
from agent.settings_table import Fraction, Table

__all__ = [
    "AlignSettings", "CourtSettings", "Fraction", "GateSettings", "LearnSettings", "PolicySettings",
    "RewardSettings", "RobotSettings", "RunSettings", "SentinelSettings", "Settings",
    "StoreSettings", "Table",
]  # fmt: skip


class RobotSettings(Table):
    """Which robot, and what is shifted in its world."""

    name: str = Field("tabletop", description="a registered robot, or module:Class")
    task: str = Field("", description="task name or pattern (* and ?); empty: the robot's default")
    shift: dict[str, float] = Field(
        default_factory=dict, description="named shifts of the world, each with its strength"
    )
    profile: str = Field("", description="cell of a real arm: a shipped profile's name or a file")
    horizon_steps: int = Field(
        60, ge=1, description="control steps an episode, at most, where the task itself says none"
    )
    starts: int = Field(
        10, ge=1, description="start states to learn from on an arm whose scene a person lays"
    )
    retries: int = Field(3, ge=0, description="faults in a row that are borne before a run ends")
    retry_s: float = Field(
        1.0, ge=0, le=30, description="wait after the first fault, s; doubled after each more"
    )
    image_px: int = Field(96, ge=16, le=1024, description="height and width of a camera image, px")
    render: Literal["egl", "osmesa", "glfw"] = Field("egl", description="what draws")
    pictures: Literal["faithful", "fast"] = Field(
        "faithful", description="how LIBERO draws: as its own environment, or with fewer triangles"
    )
    cameras: str = Field("", description="LIBERO's cameras to draw, NAME,...; empty: all")
    assets: str = Field("", description="folder of the robot's assets, where it needs one")


class PolicySettings(Table):
    """Which policy answers, and how."""

    checkpoint: str = Field("", description="checkpoint folder; empty: the one shipped")
    temperature: float = Field(1.0, gt=0, le=10, description="sampling temperature while learning")
    adapt_temperature: bool = Field(
        default=False, description="move it at each update so that half the episodes succeed"
    )
    threads: int = Field(1, ge=1, le=256, description="CPU threads for torch")
    device: str = Field(
        "cpu",
        pattern=r"^(cpu|auto|cuda(:\d+)?)$",
        description="cpu, cuda or cuda:N; auto: any GPU",
    )
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="what the base computes in; auto: as its file says, float32 on a CPU"
    )
    base: Literal["whole", "int8", "nf4"] = Field(
        "whole", description="how the frozen language model is held: whole, or in 8 or 4 bits"
    )
    norm_key: str = Field(
        "",
        description="which action statistics of the checkpoint; empty: the only ones",
    )
    images: Literal["auto", "plain", "libero", "bridge"] = Field(
        "auto", description="picture pipeline; auto: as the checkpoint says or its norm_key tells"
    )
    cameras: str = Field(
        "",
        description="cameras shown to the checkpoint, NAME,...; empty: those it names",
    )


class GateSettings(Table):
    """What a candidate must pass before it acts."""

    max_kl: float = Field(0.5, gt=0, description="KL to the start adapter a token, nats, at most")
    max_forgetting: float = Field(
        0.5, gt=0, description="rise of cross-entropy on banked successes a token, nats, at most"
    )
    trials: int = Field(0, ge=0, description="greedy episodes on gate states before each promotion")
    worse_by: Fraction = Field(0.1, description="success-rate drop that counts as worse")
    roll_back_above: Fraction = Field(
        0.95, description="probability of being worse that rolls back"
    )


class RewardSettings(Table):
    """Who says how an episode went, and when it is believed."""

    kind: Literal["outcome", "vlm", "http", "operator"] = Field(
        "outcome",
        description="outcome: the simulator's word; vlm: a local model; http: a served one; "
        "operator: the person",
    )
    model: str = Field("", description="folder of the local model; empty: the one shipped")
    calibration: str = Field(
        "", description="file that makes probabilities of its scores; empty: the one beside a model"
    )
    url: str = Field("", description="where the served model is, such as http://127.0.0.1:8000")
    api: Literal["chat", "robometer"] = Field("chat", description="what the served one speaks")
    name: str = Field("", description="model's name for a chat server; empty: the first it names")
    exposed: bool = Field(
        default=False, description="let pictures go to a served model on another machine"
    )
    timeout_s: float = Field(20.0, gt=0, le=600, description="wait for one answer, s, at most")
    retries: int = Field(2, ge=0, le=20, description="further tries where no answer came")
    cameras: str = Field("", description="cameras to look through, NAME,...; empty: all")
    every_views: int = Field(4, ge=1, description="views from one that is read to the next")
    online: bool = Field(default=False, description="read views while acting, not only afterwards")
    theta: Fraction = Field(
        0.0, description="probability that counts as success; 0: as calibrated, else 0.5"
    )
    agreeing: int = Field(
        0, ge=0, description="views at the end that must reach theta; 0: as calibrated, else 1"
    )
    last: int = Field(
        0, ge=0, description="views at the end that are asked; 0: as calibrated, else 1"
    )
    unknown_band: Fraction = Field(
        0.1, description="how far below theta a probability is neither success nor failure"
    )
    most_uncertain: Fraction = Field(
        1.0, description="doubt at the end above which nothing is said; 1: never"
    )
    least_motion: float = Field(
        0.5, ge=0, description="tool's path, full-scale moves, below which no success is believed"
    )
    ask: bool = Field(default=False, description="ask the person where the judge does not know")
    ask_s: float = Field(60.0, gt=0, le=3600, description="wait for the person's answer, s")
    silent_episodes: int = Field(
        5, ge=1, description="episodes in a row without an answer before the run ends"
    )


class AlignSettings(Table):
    """How pictures are brought back to what the training world looked like, before learning."""

    episodes: int = Field(
        0, ge=0, le=1000, description="first episodes whose start views tell how; 0: never"
    )


class CourtSettings(Table):
    """How a judge that looks at pictures is itself watched."""

    sits: bool = Field(default=True, description="watch it; false: trust it blindly")
    every_episodes: int = Field(
        4, ge=1, description="episodes from one whose success is probed to the next"
    )
    window: int = Field(32, ge=8, description="last scores that are compared with the calibration")
    false_alarms: float = Field(
        0.02, gt=0, lt=1, description="chance of a false alarm within so many episodes, at most"
    )
    within_episodes: int = Field(96, ge=8, description="these episodes")


class SentinelSettings(Table):
    """When cameras and arm count as no longer what they were, and learning is suspended."""

    enabled: bool = Field(default=True, description="watch cameras and arm from episode to episode")
    reference_episodes: int = Field(
        16, ge=4, le=100, description="first episodes of a run that say how all should be"
    )
    reference: str = Field(
        "", description="folder of another run whose first episodes say so instead; empty: its own"
    )
    every_views: int = Field(
        10, ge=0, description="views from one that is looked at to the next; 0: at resets alone"
    )
    view_shift: float = Field(
        0.015, gt=0, le=1, description="shift of a camera's view that counts, share of its width"
    )
    view_turn_deg: float = Field(1.5, gt=0, le=90, description="turn of a view that counts, deg")
    view_scale: float = Field(0.03, gt=0, le=1, description="change of size in a view that counts")
    motion_turn_deg: float = Field(
        8.0, gt=0, le=180, description="turn of the arm's moves about z that counts, deg"
    )
    motion_gain: float = Field(
        0.2, gt=0, le=1, description="change of the arm's moves along an axis that counts, share"
    )
    motion_drift: float = Field(
        0.08, gt=0, le=1, description="drift along an axis that counts, full commands a step"
    )
    motion_late_steps: float = Field(
        1.0, ge=0.5, le=20, description="delay that counts, control steps"
    )


class StoreSettings(Table):
    """How episodes are kept."""

    codecs: str = Field(
        "",
        pattern=r"^([\w.*-]+=(zstd|bitshuffle)(,[\w.*-]+=(zstd|bitshuffle))*)?$",
        description="how pictures are packed, CAMERA=zstd|bitshuffle,...; * is every other camera",
    )


class RunSettings(Table):
    """How long, from which seed, and where to."""

    seed: int = Field(0, ge=0, lt=2**31, description="fixes every random choice")
    episodes: int = Field(96, ge=0, description="episodes to act, at most")
    minutes: float = Field(15.0, gt=0, description="minutes in all, at most")
    update: bool = Field(default=True, description="learn between episodes")
    held_out: int = Field(50, ge=0, description="held-out states scored before and after, a task")
    curriculum: Literal["variance", "paper", "uniform"] = Field(
        "variance", description="how the next start state is drawn"
    )
    group: int = Field(
        1, ge=1, le=64, description="episodes in a row from one start state, then the next is drawn"
    )
    out: str = Field("runs", description="folder that holds runs")
    metrics: str = Field(
        "", description="more sinks for figures: tensorboard,trackio,wandb,prometheus"
    )
    metrics_host: str = Field("127.0.0.1", description="address that prometheus is served on")
    metrics_port: int = Field(9464, ge=0, le=65535, description="its port; 0: any free one")
    metrics_exposed: bool = Field(
        default=False, description="let that address be open to other machines"
    )


class Settings(Table):
    """Everything one run is told."""

    run: RunSettings = RunSettings()
    robot: RobotSettings = RobotSettings()
    policy: PolicySettings = PolicySettings()
    align: AlignSettings = AlignSettings()
    learn: LearnSettings = LearnSettings()
    gate: GateSettings = GateSettings()
    reward: RewardSettings = RewardSettings()
    court: CourtSettings = CourtSettings()
    sentinel: SentinelSettings = SentinelSettings()
    store: StoreSettings = StoreSettings()
