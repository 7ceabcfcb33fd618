"""What each rule makes of a batch: how much every decision is to be encouraged.

- ppo: rewards beyond what the critic expected, GAE (Schulman et al. 2016, 2017).
- rloo: the episode's outcome less the mean of the others from its start state (Ahmadian et al.
  2024), under PPO's clip; groups that agree are left out (RIPT-VLA, Tan et al. 2025).
- grpo: the outcome less its group's mean, by its group's spread (Shao et al. 2024).
- rft: 1 for a success, which is cloned, else 0: filtered cloning (Yuan et al. 2023).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from agent.episode import Float32Array
from agent.errors import DataError
from agent.learn import groups
from agent.learn.baseline import Baseline, Expected
from agent.learn.record import Acted
from agent.reward.shaping import Rewards
from agent.settings import LearnSettings

COMPARED = {"rloo": groups.leave_one_out, "grpo": groups.normalised}
NO_CRITIC = {"critic/explained_variance": 0.0, "critic/used": 0.0, "critic/decisions": 0.0}


@dataclass(frozen=True, slots=True)
class Lesson:
    """An episode of the batch each. normalise: over the batch, for they have no scale of their own.

    all_count: decisions without an advantage are looked at too.
    """

    expected: list[Expected]
    metrics: dict[str, float]
    normalise: bool
    all_count: bool


def lesson(
    settings: LearnSettings,
    baseline: Baseline,
    acted: Sequence[Acted],
    rewards: Sequence[Rewards],
    seed: int,
) -> Lesson:
    """Weigh a batch by the rule. Raises DataError where it teaches nothing by it."""
    starts = groups.groups_of([(each.task, each.start) for each in acted])
    counted = {"update/groups": float(len(starts)), "update/groups_agreed": 0.0}
    if settings.rule == "ppo":
        expected, metrics = baseline.advantages([each.id for each in acted], seed)
        return Lesson(expected, metrics | counted, normalise=True, all_count=True)
    if settings.rule == "rft":
        weights = np.array([float(each.success) for each in acted], np.float32)
        if not weights.any():
            raise DataError(
                f"no success among {len(acted)} episodes: nothing to clone; more episodes, an "
                "easier shift or another learn.rule would help"
            )
    else:
        outcomes = np.array([each.total.sum() for each in rewards], np.float32)
        weights, agreed = _compared(settings.rule, outcomes, starts)
        counted["update/groups_agreed"] = float(agreed)
    rows = [_alike(float(each), len(a.tokens)) for each, a in zip(weights, acted, strict=True)]
    return Lesson(rows, NO_CRITIC | counted, normalise=False, all_count=False)


def shuffled(found: Lesson, generator: torch.Generator) -> Lesson:
    """The control: the same advantages, given to episodes by chance."""
    order = torch.randperm(len(found.expected), generator=generator).tolist()
    given = [found.expected[other].advantage[0] for other in order]
    rows = [
        _alike(float(value), len(each.advantage))
        for value, each in zip(given, found.expected, strict=True)
    ]
    return Lesson(rows, found.metrics, found.normalise, found.all_count)


def _compared(
    rule: str, outcomes: Float32Array, starts: Sequence[Sequence[int]]
) -> tuple[Float32Array, int]:
    """Advantage (n,) of each episode, 0 in groups that agree; and how many of these there are."""
    if not np.isfinite(outcomes).all():
        raise DataError(
            f"finite advantages wanted, NaN or infinity found among {len(outcomes)} episodes: "
            "their rewards are broken; look at the judge's progress"
        )
    weights, agreed = np.zeros(len(outcomes), np.float32), 0
    for rows in starts:
        group = outcomes[list(rows)]
        if groups.agree(group):
            agreed += 1
        else:
            weights[list(rows)] = COMPARED[rule](group)
    if agreed == len(starts):
        raise DataError(
            f"no difference in outcome within any of {agreed} groups: nothing to learn from; "
            "a larger run.group, an easier shift or a shaped reward would help"
        )
    return weights, agreed


def _alike(weight: float, count: int) -> Expected:
    unknown = np.full(count + 1, np.nan, np.float32)
    return Expected(unknown, torch.full((count,), weight))
