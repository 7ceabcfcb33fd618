"""Episodes with pictures that look like something: a disc over a floor, seen by a noisy camera."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from agent.episode import (
    Action,
    Decision,
    Limit,
    Observation,
    RewardSignal,
    Step,
    Task,
    Terminated,
    Times,
    Truncated,
    Uint8Array,
    Verdict,
)
from benchmarks.seeded_episodes import Content

INSTRUCTION = "lift the cube"
HZ = 20.0


def picture(rng: np.random.Generator, at: float, h: int, w: int, noise: float) -> Uint8Array:
    """A shaded floor with a disc at `at` (0 to 1) of its way. noise: standard deviation, of 255."""
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    floor = np.stack([60 + 90 * y / h, 80 + 60 * x / w, 110 + 40 * y / h], axis=-1)
    middle_x, middle_y, radius = w * (0.15 + 0.7 * at), h * (0.3 + 0.4 * at * at), 0.12 * min(h, w)
    inside = (x - middle_x) ** 2 + (y - middle_y) ** 2 < radius**2
    floor[inside] = (200, 40, 30)
    if noise:
        floor += rng.standard_normal(floor.shape, dtype=np.float32) * noise
    return np.clip(floor, 0, 255).astype(np.uint8)


def drawn(
    seed: int, decisions: int, cameras: Mapping[str, int], noise: float = 0.0, adapter: str = "base"
) -> Content:
    """An episode of one action a decision; every second seed succeeds. cameras: name to pixels."""
    rng = np.random.default_rng(seed)
    done = seed % 2 == 0
    views = [_view(rng, index, decisions, cameras, noise) for index in range(decisions + 1)]
    steps = tuple(_step(rng, view, adapter) for view in views[:-1])
    top = 1.0 if done else float(rng.uniform(0.2, 0.8))
    progress = np.linspace(0.0, top, decisions + 1).astype(np.float32)
    return Content(
        task=Task("lift-red-cube", INSTRUCTION, seed, decisions, seed),
        steps=steps,
        last=views[-1],
        ending=Terminated("success") if done else Truncated("timeout"),
        signal=RewardSignal(
            progress,
            float(done),
            Verdict.SUCCESS if done else Verdict.FAILURE,
            "simulator",
        ),
    )


def _view(
    rng: np.random.Generator, index: int, decisions: int, cameras: Mapping[str, int], noise: float
) -> Observation:
    at = index / max(decisions, 1)
    images = {name: picture(rng, at, px, px, noise) for name, px in cameras.items()}
    proprio = (at + 0.01 * rng.standard_normal(8)).astype(np.float32)
    return Observation(images, proprio, INSTRUCTION, 1000.0 + index / HZ)


def _step(rng: np.random.Generator, view: Observation, adapter: str) -> Step:
    asked = Action(np.clip(rng.standard_normal(6) * 0.3, -1, 1).astype(np.float32), 1.0)
    held = bool(rng.random() < 0.03)
    tokens = rng.integers(0, 256, 7).astype(np.int16)
    log_probs = -rng.exponential(0.5, 7).astype(np.float32)
    return Step(
        observation=view,
        decision=Decision((asked,), tokens, log_probs, adapter, 1.0),
        applied=(Action(asked.delta * np.float32(0.5), 1.0) if held else asked,),
        executed=np.array([not held]),
        track=view.proprio[None],
        times=Times(view.time_s + 0.012, view.time_s + 0.013, view.time_s + 0.02),
        limits=Limit.SPEED if held else Limit(0),
    )
