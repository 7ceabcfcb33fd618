"""Episodes whose every number follows from a seed, and a comparison to the bit."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

import numpy as np

from agent.episode import (
    Action,
    Decision,
    Ending,
    Limit,
    Observation,
    RewardSignal,
    ScoredEpisode,
    Step,
    Task,
    Terminated,
    Times,
    Truncated,
    Verdict,
)

CAMERAS = {"front": (48, 32), "wrist": (32, 32)}
ADAPTER = "000-start"


@dataclasses.dataclass(frozen=True, slots=True)
class Content:
    """An episode and its judgement before the store gives it a name."""

    task: Task
    steps: tuple[Step, ...]
    last: Observation
    ending: Ending
    signal: RewardSignal


def seeded(seed: int, decisions: int = 35, actions: int = 2) -> Content:
    """An episode whose every number follows from the seed; its last step is cut short."""
    rng = np.random.default_rng(seed)
    steps = tuple(
        _step(rng, index, actions, actions - (index == decisions - 1)) for index in range(decisions)
    )
    progress = np.sort(rng.random(decisions + 1)).astype(np.float32)
    done = seed % 2 == 0
    return Content(
        task=Task(f"put-{seed}", "put the cup on the plate", seed, 2 * decisions, seed),
        steps=steps,
        last=_view(rng, decisions),
        ending=Terminated("success") if done else Truncated("timeout"),
        signal=RewardSignal(
            progress,
            float(rng.random()),
            Verdict.SUCCESS if done else Verdict.UNKNOWN,
            "seeded/1",
            *rng.random((2, decisions + 1), np.float32),
        ),
    )


def differences(want: Content, found: ScoredEpisode) -> list[str]:
    """Every place where an episode read back is not what was written, to the bit."""
    episode, wrong = found.episode, []
    if (episode.task, episode.ending, episode.adapter) != (want.task, want.ending, ADAPTER):
        wrong.append("task, ending or adapter")
    if len(episode.steps) != len(want.steps):
        return [*wrong, f"{len(episode.steps)} steps, want {len(want.steps)}"]
    for index, (mine, theirs) in enumerate(zip(want.steps, episode.steps, strict=True)):
        if _bits(mine) != _bits(theirs):
            wrong.append(f"step {index}")
    if _bits(episode.last) != _bits(want.last):
        wrong.append("last view")
    if _bits(found.signal) != _bits(want.signal):
        wrong.append("judgement")
    return wrong


def _view(rng: np.random.Generator, index: int) -> Observation:
    images = {
        name: rng.integers(0, 256, (h, w, 3), dtype=np.uint8) for name, (h, w) in CAMERAS.items()
    }
    proprio = rng.standard_normal(9).astype(np.float32)
    time_s, facts = index / 20 + rng.random() / 99, rng.standard_normal(5).astype(np.float32)
    return Observation(images, proprio, "put the cup on the plate", time_s, facts)


def _actions(rng: np.random.Generator, count: int) -> tuple[Action, ...]:
    return tuple(
        Action(rng.standard_normal(6).astype(np.float32), float(rng.random())) for _ in range(count)
    )


def _step(rng: np.random.Generator, index: int, actions: int, taken: int) -> Step:
    decision = Decision(
        actions=_actions(rng, actions),
        tokens=rng.integers(0, 256, 7 * actions).astype(np.int16),
        log_probs=-rng.random(7 * actions).astype(np.float32),
        adapter=ADAPTER,
        temperature=1.0,
    )
    return Step(
        observation=_view(rng, index),
        decision=decision,
        applied=_actions(rng, taken),
        executed=rng.random(actions) < 0.5,
        track=rng.standard_normal((taken, 9)).astype(np.float32),
        times=Times(index / 20, math.nan, float(rng.random())),
        limits=Limit(int(rng.integers(512))),
        by_hand=bool(rng.random() < 0.5),
    )


def _bits(thing: object) -> list[object]:
    """Every array and number of a noun, arrays as type, shape and bytes."""
    return list(_walk(thing))


def _walk(thing: object) -> Iterator[object]:
    if isinstance(thing, np.ndarray):
        yield (str(thing.dtype), thing.shape, thing.tobytes())
    elif dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        for field in dataclasses.fields(thing):
            yield from _walk(getattr(thing, field.name))
    elif isinstance(thing, dict):
        for key, value in thing.items():
            yield key
            yield from _walk(value)
    elif isinstance(thing, tuple):
        yield len(thing)
        for value in thing:
            yield from _walk(value)
    else:
        # written so, NaN is equal to itself
        yield thing.hex() if isinstance(thing, float) else thing
