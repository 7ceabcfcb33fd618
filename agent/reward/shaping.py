"""Rewards of one episode, in three parts that are never mixed before they are stored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.episode import Float32Array, ScoredEpisode, Step, Terminated, Verdict


@dataclass(frozen=True, slots=True)
class Rewards:
    """Each (decisions,) float32. sparse: success at the end; penalty: changed actions, <= 0."""

    sparse: Float32Array
    progress: Float32Array
    penalty: Float32Array

    @property
    def total(self) -> Float32Array:
        """Sum of the parts, (decisions,) float32."""
        return self.sparse + self.progress + self.penalty


def shape(
    scored: ScoredEpisode,
    gamma: float,
    progress_weight: float,
    mode: str = "potential",
    penalty_weight: float = 0.0,
) -> Rewards:
    """Turn a judgement into rewards.

    "potential": w (gamma phi' - phi), which leaves the best policy unchanged
    (Ng, Harada and Russell 1999); the potential of the end is its verdict, where there is one.
    "sum": w phi', the plain sum of VLA-RL (arXiv 2505.18719, section 4.3).
    penalty_weight: fine for a decision whose actions a guard changed, by the share changed.
    """
    episode, signal = scored.episode, scored.signal
    count = len(episode.steps)
    sparse = np.zeros(count, np.float32)
    if signal.verdict is Verdict.SUCCESS and count:
        sparse[-1] = 1.0
    phi = np.array(signal.progress, np.float32)
    if signal.verdict is Verdict.SUCCESS:
        phi[-1] = 1.0
    elif signal.verdict is Verdict.FAILURE and isinstance(episode.ending, Terminated):
        # One that was cut off keeps the potential of its last view: it might have gone on.
        phi[-1] = 0.0
    earned = phi[1:] if mode == "sum" else np.float32(gamma) * phi[1:] - phi[:-1]
    changed = [_changed(step) for step in episode.steps]
    penalty = np.float32(-penalty_weight) * np.array(changed, np.float32)
    return Rewards(sparse, np.float32(progress_weight) * earned.astype(np.float32), penalty)


def _changed(step: Step) -> float:
    """Share of a decision's actions that a guard changed; what a person did is no fault of it."""
    if not step.limits or step.by_hand or not len(step.executed):
        return 0.0
    return float(np.mean(~step.executed))
