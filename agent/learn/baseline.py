"""What was to be expected: the critic's values, or plain averages until it knows better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from agent.episode import Float32Array
from agent.learn import gae, waiting
from agent.learn.critic import Critic, Targets, fit
from agent.learn.experience import Experience
from agent.learn.record import Outline
from agent.settings import LearnSettings

WEIGHTS = "critic.safetensors"


@dataclass(frozen=True, slots=True)
class Expected:
    """One episode of t decisions. value: (t + 1,) by the critic, NaN where it was not used.

    advantage: (t,) what came beyond it.
    """

    value: Float32Array
    advantage: Tensor


class Baseline:
    """Advantages of episodes, measured against the last ones seen, `learn.memory` decisions."""

    def __init__(self, settings: LearnSettings, experience: Experience | None = None) -> None:
        self._settings = settings
        self._experience = experience
        self._outlines: dict[str, Outline] = {}
        self._rewards: dict[str, Float32Array] = {}
        self._decisions = 0
        self._least = waiting.most(settings)
        self._critic: Critic | None = None

    def observe(self, outline: Outline, rewards: Float32Array) -> None:
        """Take note of an episode. rewards: (t,)."""
        self._outlines[outline.id] = outline
        self._rewards[outline.id] = rewards
        self._decisions += len(rewards)
        # What the next update learns from stays whatever it takes.
        while self._decisions > self._settings.memory and len(self._outlines) > self._least:
            self.forget(next(iter(self._outlines)))

    def forget(self, name: str) -> None:
        """Leave an episode out from now on, if it is known."""
        if self._outlines.pop(name, None) is not None:
            self._decisions -= len(self._rewards.pop(name))

    def advantages(self, ids: Sequence[str], seed: int) -> tuple[list[Expected], dict[str, float]]:
        """Refit the critic, then say of each named episode what was to be expected of it.

        While the critic explains nothing of episodes it was not fitted on, the advantage is the
        return less the running mean of the task.
        """
        explained = self._refit(seed)
        used = explained > 0.0
        rows = [self._by_critic(name) if used else self._by_mean(name) for name in ids]
        return rows, {
            "critic/explained_variance": explained,
            "critic/used": float(used),
            "critic/decisions": float(self._decisions),
        }

    def save(self, folder: Path) -> None:
        """Write the critic beside the adapter it belongs to."""
        if self._critic is not None:
            save_file(self._critic.state_dict(), str(folder / WEIGHTS))

    def _refit(self, seed: int) -> float:
        outlines = list(self._outlines.values())
        width = outlines[0].features.shape[1]
        # From nothing each time: what it knows is then a function of the stored episodes alone.
        self._critic = Critic(width, seed)
        rows = [self._rows(outline, number) for number, outline in enumerate(outlines)]
        if self._experience is not None:
            known = self._experience
            gamma = self._settings.gamma
            # Its episodes are numbered after ours, so that ours are held out as before.
            number = known.episode + len(outlines)
            rows.append((known.features, known.elapsed, known.returns(gamma), number))
        targets = Targets(*(torch.cat(column) for column in zip(*rows, strict=True)))
        return fit(self._critic, targets, seed)

    def _rows(self, outline: Outline, number: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        returns = torch.from_numpy(self._returns(outline))
        features, elapsed = outline.features[:-1].float(), outline.elapsed[:-1]
        return features, elapsed, returns, torch.full((len(returns),), number)

    def _returns(self, outline: Outline) -> Float32Array:
        # The clock is an input of the critic: at its end nothing more can be earned.
        return gae.returns(
            self._rewards[outline.id], 0.0, self._settings.gamma, terminated=outline.terminated
        )

    def _by_critic(self, name: str) -> Expected:
        outline, critic = self._outlines[name], self._critic
        if critic is None:
            raise RuntimeError("the critic was not fitted")
        values = critic.value(outline.features.float(), outline.elapsed).numpy()
        advantages = gae.advantages(
            self._rewards[name],
            values,
            self._settings.gamma,
            self._settings.gae_lambda,
            terminated=outline.terminated,
        )
        return Expected(values, torch.from_numpy(advantages))

    def _by_mean(self, name: str) -> Expected:
        task = self._outlines[name].task
        same = [o for o in self._outlines.values() if o.task == task]
        mean = np.mean(np.concatenate([self._returns(outline) for outline in same]))
        outline = self._outlines[name]
        unknown = np.full(len(outline.elapsed), np.nan, np.float32)
        return Expected(unknown, torch.from_numpy(self._returns(outline) - np.float32(mean)))
