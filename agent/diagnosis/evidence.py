"""What a run's sealed episodes show of cameras, commands, gripper and statistics.

Only what any robot knows of itself is read: never `Observation.privileged`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from agent.episode import Episode, Float32Array, Int16Array, ScoredEpisode, Uint8Array, Verdict
from agent.errors import DataError
from agent.sentinel.arm import motion_of, places_of
from calibration import expected
from calibration.motion import Float64Array, Motion

PLACE = (0, 1, 2)  # of proprioception: the tool, m
POSE = slice(0, 7)  # place, rotation vector and opening
OPENING = 6
VIEWS = 160  # pictures a camera, at most
LEAST_EPISODES = 8


@dataclass(frozen=True, slots=True)
class Sight:
    """One camera. starts: (h, w, 3) an episode. greys: (m, 48, 48) at poses (m, p).

    owners: (m,) which episode each is of.
    """

    starts: tuple[Uint8Array, ...]
    greys: Float32Array
    poses: Float64Array
    owners: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Grip:
    """One episode. commands, openings: (n,) asked for and measured after each control step."""

    task: str
    commands: Float64Array
    openings: Float64Array


@dataclass(frozen=True, slots=True)
class Evidence:
    """A run, as far as it can be looked at.

    places: of each motion (n, 3) where the tool was. tokens, asked: (d, 7) what the policy said and
    what that became, robot units. tally: by task, successes and judged episodes.
    """

    episodes: int
    proprio: int
    sights: Mapping[str, Sight]
    motions: tuple[Motion, ...]
    places: tuple[Float64Array, ...]
    grips: tuple[Grip, ...]
    tokens: Int16Array
    asked: Float64Array
    tally: Mapping[str, tuple[int, int]]


def gather(scored: Iterable[ScoredEpisode]) -> Evidence:
    """Line up sealed episodes. Raises DataError for too few, or none that moved."""
    episodes: list[Episode] = []
    tally: dict[str, tuple[int, int]] = {}
    for each in scored:
        if not each.episode.steps:
            continue
        episodes.append(each.episode)
        if each.signal.verdict is not Verdict.UNKNOWN:
            won, tried = tally.get(each.episode.task.name, (0, 0))
            success = each.signal.verdict is Verdict.SUCCESS
            tally[each.episode.task.name] = (won + success, tried + 1)
    if len(episodes) < LEAST_EPISODES:
        raise DataError(
            f"{LEAST_EPISODES} sealed episodes or more wanted to tell a fault from chance, found "
            f"{len(episodes)}; act some more with: vlarl-agent run --no-update"
        )
    width = episodes[0].last.proprio.shape[0]
    if width < 3:
        raise DataError(f"a tool's place (3,) first in proprioception wanted, found {width} values")
    spoken = [step.decision for episode in episodes for step in episode.steps]
    said = [each for each in spoken if each.tokens.size == 7 * len(each.actions)]
    return Evidence(
        episodes=len(episodes),
        proprio=width,
        sights={name: _sight(episodes, name) for name in episodes[0].last.images},
        motions=tuple(motion_of(episode, PLACE) for episode in episodes),
        places=tuple(places_of(episode, PLACE)[:-1] for episode in episodes),
        grips=tuple(_grip(episode) for episode in episodes) if width > OPENING else (),
        tokens=np.concatenate([each.tokens.reshape(-1, 7) for each in said] or [_NONE]),
        asked=np.array(
            [[*action.delta, action.gripper] for each in said for action in each.actions],
            np.float64,
        ).reshape(-1, 7),
        tally=tally,
    )


_NONE: Int16Array = np.zeros((0, 7), np.int16)


def _grip(episode: Episode) -> Grip:
    asked = [action.gripper for step in episode.steps for action in step.applied]
    felt = [float(row[OPENING]) for step in episode.steps for row in step.track]
    return Grip(episode.task.name, np.array(asked), np.array(felt))


def _sight(episodes: list[Episode], name: str) -> Sight:
    rows = [
        (number, step.observation)
        for number, episode in enumerate(episodes)
        for step in episode.steps
        if name in step.observation.images
    ]
    chosen = np.unique(np.linspace(0, len(rows) - 1, VIEWS * _share(len(episodes))).astype(int))
    kept = [rows[index] for index in chosen]
    return Sight(
        starts=tuple(episode.steps[0].observation.images[name] for episode in episodes),
        greys=np.stack([expected.grey(view.images[name]) for _, view in kept]),
        poses=np.array([view.proprio[POSE] for _, view in kept], np.float64),
        owners=tuple(number for number, _ in kept),
    )


def _share(episodes: int) -> int:
    """A reference is made of many episodes, and may keep as many pictures of each."""
    return max(1, episodes // (2 * LEAST_EPISODES))
