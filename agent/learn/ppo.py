"""LoRA between episodes, by PPO or another rule: from on-policy episodes to a candidate folder."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from agent.episode import Decision, Observation, ScoredEpisode
from agent.errors import DataError
from agent.learn import experience, explanation, rules, waiting
from agent.learn.agreement import gap_of, must_agree
from agent.learn.bank import Bank
from agent.learn.baseline import Baseline
from agent.learn.batch import join, taught
from agent.learn.descent import CANDIDATE, REFERENCE, Descent
from agent.learn.explaining import explained
from agent.learn.foresight import Foresight
from agent.learn.forward import Forward
from agent.learn.optimizer import save_optimizer
from agent.learn.record import Acted, encode
from agent.learn.replay import Replay
from agent.learn.views import keep_of
from agent.policy.policy import VLAPolicy
from agent.reward.shaping import Rewards, shape
from agent.settings import LearnSettings

__all__ = ["CANDIDATE", "REFERENCE", "PPOLearner"]


class PPOLearner:
    """Improves the acting adapter on its own episodes; the acting one is never touched.

    What it keeps has a bound whatever the run's length: `learn.memory` decisions for the critic,
    the episodes that may wait for an update, the bank and the replay.
    """

    def __init__(self, policy: VLAPolicy, settings: LearnSettings, seed: int) -> None:
        self._policy, self._settings, self._seed = policy, settings, seed
        policy.model.language_model.model.gradient_checkpointing = settings.checkpointing
        critic = settings.rule == "ppo" and settings.experience
        known = experience.read(policy.folder, policy.model.hidden) if critic else None
        self._baseline = Baseline(settings, known)
        self._fresh: dict[str, Acted] = {}
        self._bank = Bank()
        self._replay = Replay(settings.replay)
        self._keep = keep_of(policy, settings)
        self._forward = Forward(policy, settings.micro_batch, self._keep)
        self._descent = Descent(policy, settings, seed, self._forward)
        self._foresight = Foresight(policy, settings)

    def observe(self, scored: ScoredEpisode) -> None:
        """Take note of a sealed episode."""
        acted, outline = encode(self._policy, scored, self._keep, self._forward.at_once)
        if self._settings.rule == "ppo":
            self._baseline.observe(outline, self._rewards(scored).total)
        self._bank.take(acted)
        self._fresh[acted.id] = acted
        while len(self._fresh) > waiting.most(self._settings):
            self._replay.take(self._fresh.pop(next(iter(self._fresh))))

    def forget(self, ids: Sequence[str]) -> None:
        """Learn nothing from these episodes; see agent.protocols.Learner."""
        for name in ids:
            self._fresh.pop(name, None)
            self._bank.forget(name)
            self._baseline.forget(name)
            self._replay.forget(name)

    def update(self, batch: Sequence[ScoredEpisode], number: int, out: Path) -> dict[str, float]:
        """Write a candidate to `out`; see agent.protocols.Learner."""
        acted = self._claim(batch)
        try:
            return self._learn(acted, [self._rewards(scored) for scored in batch], number, out)
        finally:
            # Whatever came of it: a resumed run knows no more than that they were used.
            for each in acted:
                self._replay.take(each)

    def gap(self, views: Sequence[Observation], decisions: Sequence[Decision]) -> float:
        """How far the candidate's answers are from the learner's; see agent.protocols.Learner."""
        gap = gap_of(self._policy, views, decisions, CANDIDATE)
        must_agree(gap, self._policy.dtype, "what was loaded is not what was learned")
        return gap

    def _learn(
        self, acted: Sequence[Acted], rewards: Sequence[Rewards], number: int, out: Path
    ) -> dict[str, float]:
        began, settings = time.perf_counter(), self._settings
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + number)
        found = rules.lesson(settings, self._baseline, acted, rewards, self._seed * 7919 + number)
        by_chance = settings.control == "random-advantage"
        if by_chance and not found.normalise:
            found = rules.shuffled(found, generator)
        advantages = [each.advantage for each in found.expected]
        joined = join(acted, advantages, normalise=found.normalise)
        if by_chance and found.normalise:
            noise = torch.randn(joined.advantage.shape, generator=generator)
            joined = replace(joined, advantage=noise)
        learned = taught(joined, all_count=found.all_count)
        metrics = found.metrics
        metrics["update/decisions"] = float(len(joined))
        metrics["update/decisions_taught"] = float(len(learned))
        metrics["update/replayed"] = float(len(self._replay))
        metrics["update/success_rate"] = sum(a.success for a in acted) / len(acted)
        metrics["update/advantage_std"] = float(torch.cat(advantages).std(correction=0))
        optimizer, told, after = self._descent.fit(
            joined.rows(learned), self._replay, self._bank, number, generator
        )
        self._policy.adapters.save(CANDIDATE, out)
        self._policy.keep_sight(out)
        explanation.write(out, explained(acted, rewards, found.expected, joined, learned, after))
        save_optimizer(optimizer, self._policy.adapters.parameters(CANDIDATE), out)
        self._baseline.save(out)
        spent = {"update/seconds": time.perf_counter() - began}
        foreseen = self._foresight.metrics(len(joined), self._forward.at_once)
        return metrics | told | spent | foreseen

    def _rewards(self, scored: ScoredEpisode) -> Rewards:
        settings = self._settings
        return shape(
            scored, settings.gamma, settings.progress_weight, settings.shaping,
            settings.penalty_weight,
        )  # fmt: skip

    def _claim(self, batch: Sequence[ScoredEpisode]) -> list[Acted]:
        """Take the batch out of what was observed. Raises DataError where it is not on-policy."""
        if not batch:
            raise DataError("episodes to learn from wanted, none found; act first")
        adapters = {scored.episode.adapter for scored in batch}
        if adapters != {self._policy.adapter}:
            raise DataError(
                f"episodes of the acting adapter {self._policy.adapter!r} wanted, found those of "
                f"{', '.join(sorted(adapters))}; only on-policy episodes can be learned from"
            )
        if len({scored.episode.temperature for scored in batch}) > 1:
            raise DataError("episodes of one temperature wanted, found several; act at one only")
        ids = [scored.episode.id for scored in batch]
        unknown = [name for name in ids if name not in self._fresh]
        if unknown or len(set(ids)) < len(ids):
            raise DataError(
                f"episodes observed once and learned from once wanted, found "
                f"{', '.join(unknown) or 'one twice'}; observe an episode before learning from it"
            )
        acted = [self._fresh.pop(name) for name in ids]
        # Every episode is used up by one update: what is not in this batch never will be.
        for each in self._fresh.values():
            self._replay.take(each)
        self._fresh.clear()
        return acted
