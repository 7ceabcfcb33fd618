"""Episodes of the point robot in memory, as a session would make them but without a disk."""

import numpy as np
import torch

from agent.episode import Episode, RewardSignal, ScoredEpisode, Step, Task, Verdict
from agent.policy.policy import VLAPolicy
from agent.reward.outcome import OutcomeJudge
from agent.settings import LearnSettings, RobotSettings
from tests.point_robot import PointRobot

# Small, quick and learning from every batch; a test changes what it is about.
QUICK = {"rank": 4, "learning_rate": 3e-3, "epochs": 2, "kl_stop": 1e9}


def learning(**changes):
    return LearnSettings.model_validate(QUICK | changes)


def play(policy: VLAPolicy, count: int, seed: int = 0, start: int | None = None):
    """Some episodes by the acting adapter; from one start state, or from all eight in turn."""
    robot = PointRobot(RobotSettings())
    return [
        _one(robot, policy, number, seed, number % 8 if start is None else start)
        for number in range(count)
    ]


def judged(scored: ScoredEpisode, verdict: Verdict, progress=None) -> ScoredEpisode:
    """The same episode with another judgement."""
    if progress is None:
        progress = np.zeros(len(scored.episode.steps) + 1, np.float32)
    probability = float(verdict is Verdict.SUCCESS)
    return ScoredEpisode(scored.episode, RewardSignal(progress, probability, verdict, "test/1"))


def weights(policy: VLAPolicy, adapter: str):
    """The adapter's bits."""
    return {
        name: tensor.numpy().tobytes() for name, tensor in policy.adapters.state(adapter).items()
    }


def bits(tensors):
    """Bits of some tensors, whatever they are called."""
    return sorted(tensor.detach().numpy().tobytes() for tensor in tensors)


def base_bits(policy: VLAPolicy):
    """Bits of the frozen model under all adapters."""
    return bits(p for name, p in policy.model.named_parameters() if "lora_" not in name)


def most_apart(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> float:
    """Largest difference of two adapters."""
    assert left.keys() == right.keys()
    return max(float((left[name] - right[name]).abs().max()) for name in left)


def _one(robot, policy, number, seed, start):
    policy.seed(1000 * seed + number)
    task = Task("go-right", "go right", start, 4, seed=number)
    view, steps, ending = robot.reset(task), [], None
    while ending is None:
        (decision,) = policy.act([view], 1.0)
        reading = robot.step(decision.actions)
        steps.append(Step(view, decision, reading.applied, reading.executed, reading.track))
        view, ending = reading.observation, reading.ending
    name = f"{1000 * seed + number + 1:06d}"
    episode = Episode(name, task, policy.adapter, 1.0, tuple(steps), view, ending)
    return ScoredEpisode(episode, OutcomeJudge().score(episode))
