"""Action statistics of recorded episodes, in the layout of OpenVLA's dataset_statistics.json."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.episode import ScoredEpisode, Verdict
from agent.errors import DataError
from agent.policy.action_tokens import DIMENSIONS, stats_to_json

LEAST_ACTIONS = 100  # below, a first percentile is the smallest value seen


def ranges(scored: Iterable[ScoredEpisode], *, successes: bool) -> dict[str, Any]:
    """One data set's entry: q01, q99 and more of actions and proprioception.

    successes: leave out what did not succeed. Actions count as they were carried out, and not
    where a person had the arm. Raises DataError for too few.
    """
    actions: list[list[float]] = []
    felt: list[NDArray[np.float32]] = []
    episodes = 0
    for each in scored:
        if successes and each.signal.verdict is not Verdict.SUCCESS:
            continue
        episodes += 1
        for step in each.episode.steps:
            felt.append(step.observation.proprio)
            if not step.by_hand:
                actions += [[*action.delta, action.gripper] for action in step.applied]
    if len(actions) < LEAST_ACTIONS:
        raise DataError(
            f"{LEAST_ACTIONS} actions or more wanted for a first and a ninety-ninth percentile, "
            f"found {len(actions)} in {episodes} episodes"
        )
    rows = np.array(actions, np.float64).reshape(-1, DIMENSIONS)
    told = _told(rows)
    # The gripper's own range is 0 closed to 1 open; its values are used as they are.
    told |= stats_to_json(told["q01"], told["q99"])["action"]
    return {
        "action": told,
        "proprio": _told(np.stack(felt).astype(np.float64)),
        "num_transitions": len(rows),
        "num_trajectories": episodes,
    }


def _told(rows: NDArray[np.float64]) -> dict[str, Any]:
    q01, q99 = np.quantile(rows, [0.01, 0.99], axis=0)
    return {
        "mean": rows.mean(axis=0).tolist(), "std": rows.std(axis=0).tolist(),
        "max": rows.max(axis=0).tolist(), "min": rows.min(axis=0).tolist(),
        "q01": q01.tolist(), "q99": q99.tolist(),
    }  # fmt: skip
