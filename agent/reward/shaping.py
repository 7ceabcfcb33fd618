"""Rewards of one episode, in three parts that are never mixed before they are stored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.episode import Float32Array, ScoredEpisode, Terminated, Verdict


@dataclass(frozen=True, slots=True)
class Rewards:
    """Each (decisions,) float32. sparse: success at the end; penalty: replaced actions."""

    sparse: Float32Array
    progress: Float32Array
    penalty: Float32Array

    @property
    def total(self) -> Float32Array:
        """Sum of the parts, (decisions,) float32."""
        return self.sparse + self.progress + self.penalty


def shape(
    scored: ScoredEpisode, gamma: float, progress_weight: float, mode: str = "potential"
) -> Rewards:
    """Turn a judgement into rewards.

    "potential": w (gamma phi' - phi), which leaves the best policy unchanged
    (Ng, Harada and Russell 1999); the potential of a terminated end is its verdict.
    "sum": w phi', the plain sum of VLA-RL (arXiv 2505.18719, section 4.3).
    """
    episode, signal = scored.episode, scored.signal
    count = len(episode.steps)
    sparse = np.zeros(count, np.float32)
    if signal.verdict is Verdict.SUCCESS and count:
        sparse[-1] = 1.0
    phi = np.array(signal.progress, np.float32)
    if isinstance(episode.ending, Terminated):
        phi[-1] = float(signal.verdict is Verdict.SUCCESS)
    earned = phi[1:] if mode == "sum" else np.float32(gamma) * phi[1:] - phi[:-1]
    # No limit replaces actions yet in simulation, so there is nothing to fine.
    penalty = np.zeros(count, np.float32)
    return Rewards(sparse, np.float32(progress_weight) * earned.astype(np.float32), penalty)
