"""The nouns that cross rooms: what is seen, decided, done and learned."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntFlag, StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Uint8Array = NDArray[np.uint8]
Int16Array = NDArray[np.int16]
Float32Array = NDArray[np.float32]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Observation:
    """What the robot saw and felt at one moment.

    images: camera name to (h, w, 3) uint8 RGB, upright.
    proprio: (p,) float32, laid out as the robot's card says.
    time_s: monotonic clock at capture.
    privileged: (m,) float32 of what only a simulator knows, (0,) elsewhere; no policy sees it.
    """

    images: Mapping[str, Uint8Array]
    proprio: Float32Array
    instruction: str
    time_s: float
    privileged: Float32Array = field(default_factory=lambda: np.zeros(0, np.float32))


@dataclass(frozen=True, slots=True)
class Action:
    """One control step: a relative move of the tool and an opening of the gripper.

    delta: (6,) float32, x y z and a rotation vector; 1.0 is the robot's full-scale step.
    gripper: opening wanted, 0.0 closed .. 1.0 open.
    """

    delta: Float32Array
    gripper: float


@dataclass(frozen=True, slots=True)
class Decision:
    """One answer of the policy: K actions, and what a learner needs to weigh it.

    tokens: (d,) int16 bin indices 0..255, d = 7 K for a token policy, (0,) for any other.
    log_probs: (d,) float32 of those tokens under the acting adapter at `temperature`.
    """

    actions: tuple[Action, ...]
    tokens: Int16Array
    log_probs: Float32Array
    adapter: str
    temperature: float


@dataclass(frozen=True, slots=True)
class Terminated:
    """The task itself ended: nothing of value lies beyond."""

    reason: Literal["success", "fault"]


@dataclass(frozen=True, slots=True)
class Truncated:
    """The episode was cut off: the last view still has a value."""

    reason: Literal["timeout", "stopped", "human"]


Ending = Terminated | Truncated


class Limit(IntFlag):
    """What a guard held a request to. The numbers are recorded and never change their meaning."""

    STEP = 1
    SPEED = 2
    ACCELERATION = 4
    BOX = 8
    JOINT = 16
    SINGULAR = 32
    GRIPPER = 64
    ROTATION = 128
    SHAPE = 256


NO_LIMIT = Limit(0)


@dataclass(frozen=True, slots=True)
class Times:
    """When a decision was made and met: monotonic seconds, NaN where nobody measured.

    decided_s: the policy had answered. sent_s: its first command left.
    applied_s: the first command was in force. When the view was taken is `Observation.time_s`.
    """

    decided_s: float = math.nan
    sent_s: float = math.nan
    applied_s: float = math.nan


NO_TIMES = Times()


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of a decision.

    applied: the actions truly carried out, at most K; fewer when the episode ended on the way.
    executed: (K,) bool, True where the requested action was carried out unchanged.
    track: (len(applied), p) float32 proprioception after each control step.
    sent_s, applied_s: as in `Times`, NaN where the robot has no command path of its own.
    limits: all that a guard held the actions to. by_hand: a person had the arm in the meantime;
    what was not the policy's own doing is then not `executed`.
    """

    observation: Observation
    applied: tuple[Action, ...]
    executed: BoolArray
    track: Float32Array
    ending: Ending | None
    sent_s: float = math.nan
    applied_s: float = math.nan
    limits: Limit = NO_LIMIT
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One decision as it is recorded: the view it answers, the answer, and what was done."""

    observation: Observation
    decision: Decision
    applied: tuple[Action, ...]
    executed: BoolArray
    track: Float32Array
    times: Times = NO_TIMES
    limits: Limit = NO_LIMIT
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do from one stored start state.

    start: number of the start state; seed: everything random the world does in this episode.
    """

    name: str
    instruction: str
    start: int
    horizon_steps: int
    seed: int = 0


@dataclass(frozen=True, slots=True)
class TaskCard:
    """A task a robot offers, and its start states: disjoint sets for three purposes.

    train: learned from; gate: asked before an adapter is kept; held_out: reported, never learned.
    """

    name: str
    instruction: str
    horizon_steps: int
    train: tuple[int, ...]
    gate: tuple[int, ...]
    held_out: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Suite:
    """A published set of tasks, and how those who report on it try them.

    tasks: their names. starts: stored start states of each. image_px: of the pictures drawn.
    """

    name: str
    tasks: tuple[str, ...]
    starts: int
    settling_steps: int
    image_px: int


@dataclass(frozen=True, slots=True)
class RobotCard:
    """What a robot is: enough for a policy to know whether it fits.

    full_scale: (6,) metres and radians that a delta of 1.0 stands for.
    """

    name: str
    cameras: tuple[str, ...]
    proprio: tuple[str, ...]
    control_hz: float
    full_scale: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Episode:
    """One task from first view to last; on-policy for exactly one adapter.

    last: the view after the last step, from which a truncated episode is bootstrapped.
    """

    id: str
    task: Task
    adapter: str
    temperature: float
    steps: tuple[Step, ...]
    last: Observation
    ending: Ending

    @property
    def control_steps(self) -> int:
        """Control steps truly taken."""
        return sum(len(step.applied) for step in self.steps)


class Verdict(StrEnum):
    """Whether the task was done, as far as the judge can tell."""

    SUCCESS = "success"
    FAILURE = "failure"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RewardSignal:
    """A judge's opinion of one episode.

    progress: (steps + 1,) float32 in [0, 1], one per view, the last view included.
    success_probability: 0 .. 1. source: which judge, with its version.
    success, uncertainty: (steps + 1,) float32 in [0, 1], the probability that the task is done in
    each view and how far the judge doubts itself there; (0,) where it does not say.
    """

    progress: Float32Array
    success_probability: float
    verdict: Verdict
    source: str
    success: Float32Array = field(default_factory=lambda: np.zeros(0, np.float32))
    uncertainty: Float32Array = field(default_factory=lambda: np.zeros(0, np.float32))


@dataclass(frozen=True, slots=True)
class ScoredEpisode:
    """An episode with its judgement: what a learner is given."""

    episode: Episode
    signal: RewardSignal


@dataclass(frozen=True, slots=True)
class Gone:
    """What is still known of a sealed episode that was let go of: it counts, but cannot be read."""

    id: str
    task: str
    start: int
    adapter: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Alarm:
    """Why learning must wait: what the agent leans on is not as it was.

    watch: who says so. why: one line with the figures. facts: those figures by name.
    """

    watch: str
    why: str
    facts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UpdateReport:
    """What one update did and what became of it.

    adapter: the candidate's name, or the parent's where nothing was made.
    episodes: ids used up by it, whatever the outcome. metrics: named in docs/metrics.md.
    """

    number: int
    adapter: str
    parent: str
    episodes: tuple[str, ...]
    kept: bool
    why: str
    metrics: Mapping[str, float] = field(default_factory=dict)
