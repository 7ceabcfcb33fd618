"""LoRA PPO between episodes: from on-policy episodes to a candidate adapter folder."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from agent.episode import Decision, Observation, ScoredEpisode
from agent.errors import DataError
from agent.learn import experience, explanation
from agent.learn import loss as losses
from agent.learn.agreement import gap_of, must_agree
from agent.learn.baseline import Baseline
from agent.learn.batch import Batch, Share, carried_out, join, share
from agent.learn.explaining import explained
from agent.learn.foresight import Foresight
from agent.learn.optimizer import WEIGHTS as OPTIMIZER
from agent.learn.optimizer import load_optimizer, save_optimizer
from agent.learn.record import Acted, Views, encode
from agent.policy.adapters import AdapterSpec
from agent.policy.images import to_pixels
from agent.policy.policy import SLOT, VLAPolicy
from agent.policy.vla import log_probs as token_log_probs
from agent.reward.shaping import Rewards, shape
from agent.settings import LearnSettings

log = logging.getLogger(__name__)

CANDIDATE, REFERENCE = "candidate", "reference"
BANK_DECISIONS = 256


class PPOLearner:
    """Improves the acting adapter on its own episodes; the acting one is never touched."""

    def __init__(self, policy: VLAPolicy, settings: LearnSettings, seed: int) -> None:
        self._policy, self._settings, self._seed = policy, settings, seed
        policy.model.language_model.model.gradient_checkpointing = settings.checkpointing
        hidden = policy.model.hidden
        known = experience.read(policy.folder, hidden) if settings.experience else None
        self._baseline = Baseline(settings, known)
        self._fresh: dict[str, Acted] = {}
        self._bank: list[tuple[Views, Tensor, Tensor]] = []
        self._banked = 0
        self._micro_batch = settings.micro_batch
        self._foresight = Foresight(policy, settings)
        self._group = {"decision": policy.config.tokens, "action": 7, "token": 1}[settings.ratio]

    def observe(self, scored: ScoredEpisode) -> None:
        """Take note of a sealed episode."""
        acted, outline = encode(self._policy, scored, pixels=self._pixels)
        self._baseline.observe(outline, self._rewards(scored).total)
        self._fresh[acted.id] = acted
        if acted.success and self._banked < BANK_DECISIONS:
            self._bank.append((acted.views, acted.tokens, acted.mask))
            self._banked += len(acted.tokens)

    def update(self, batch: Sequence[ScoredEpisode], number: int, out: Path) -> dict[str, float]:
        """Write a candidate to `out`; see agent.protocols.Learner."""
        began = time.perf_counter()
        acted = self._claim(batch)
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + number)
        expected, metrics = self._baseline.advantages(
            [each.id for each in acted], self._seed * 7919 + number
        )
        advantages = [each.advantage for each in expected]
        joined = join(acted, advantages)
        if self._settings.control == "random-advantage":
            noise = torch.randn(joined.advantage.shape, generator=generator)
            joined = replace(joined, advantage=noise)
        metrics["update/decisions"] = float(len(joined))
        metrics["update/success_rate"] = sum(a.success for a in acted) / len(acted)
        metrics["update/advantage_std"] = float(torch.cat(advantages).std(correction=0))
        optimizer, found, after = self._fit(carried_out(joined), generator)
        self._policy.adapters.save(CANDIDATE, out)
        rewards = [self._rewards(scored) for scored in batch]
        explanation.write(out, explained(acted, rewards, expected, joined, after))
        save_optimizer(optimizer, self._policy.adapters.parameters(CANDIDATE), out)
        self._baseline.save(out)
        spent = {"update/seconds": time.perf_counter() - began}
        foreseen = self._foresight.metrics(len(joined), self._micro_batch)
        return metrics | found | spent | foreseen

    def gap(self, views: Sequence[Observation], decisions: Sequence[Decision]) -> float:
        """How far the candidate's answers are from the learner's; see agent.protocols.Learner."""
        gap = gap_of(self._policy, views, decisions, CANDIDATE)
        must_agree(gap, self._policy.dtype, "what was loaded is not what was learned")
        return gap

    def _rewards(self, scored: ScoredEpisode) -> Rewards:
        settings = self._settings
        return shape(
            scored, settings.gamma, settings.progress_weight, settings.shaping,
            settings.penalty_weight,
        )  # fmt: skip

    @property
    def _pixels(self) -> bool:
        return self._settings.targets != "language"

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
        acted = [self._fresh[name] for name in ids]
        # Every episode is used up by one update: what is not in this batch never will be.
        self._fresh.clear()
        return acted

    def _fit(
        self, batch: Batch, generator: torch.Generator
    ) -> tuple[torch.optim.AdamW, dict[str, float], Tensor]:
        """Train the candidate; where memory runs out, again with half the micro-batch."""
        start = generator.get_state()
        while True:
            generator.set_state(start)
            try:
                optimizer = self._prepare()
                metrics, after = self._descend(batch, optimizer, generator)
                return optimizer, metrics | {"gate/forgetting": self._forgetting()}, after
            except RuntimeError as error:
                if not _out_of_memory(error):
                    raise
                if self._micro_batch == 1:
                    raise DataError(
                        "memory for one decision a forward pass wanted, none found: "
                        f"{str(error).splitlines()[0]}; use a smaller adapter or checkpoint"
                    ) from error
            self._micro_batch = max(1, min(self._micro_batch, len(batch)) // 2)
            log.warning("out of memory: learning from %d decisions at once", self._micro_batch)

    def _prepare(self) -> torch.optim.AdamW:
        """Clone the acting adapter into the candidate, and give it its optimizer back."""
        adapters, settings = self._policy.adapters, self._settings
        spec = AdapterSpec(settings.rank, settings.alpha, settings.targets)
        if REFERENCE not in adapters.names:
            # A clone of where the run began, fresh or resumed: it does not move with what acts.
            adapters.attach(REFERENCE, spec, self._seed)
        adapters.copy(SLOT if SLOT in adapters.names else REFERENCE, CANDIDATE)
        adapters.freeze(CANDIDATE)
        parameters = adapters.parameters(CANDIDATE)
        optimizer = torch.optim.AdamW(parameters.values(), lr=settings.learning_rate, eps=1e-5)
        folder = self._policy.adapter_folder
        if folder is not None and (folder / OPTIMIZER).exists():
            load_optimizer(optimizer, parameters, folder)
        return optimizer

    def _descend(
        self, batch: Batch, optimizer: torch.optim.AdamW, generator: torch.Generator
    ) -> tuple[dict[str, float], Tensor]:
        """Metrics, and the tokens' log-probabilities (n, d) under what was learned."""
        settings = self._settings
        steps: list[dict[str, float]] = []
        epochs, after = 0, batch.old
        while epochs < settings.epochs:
            order = torch.randperm(len(batch), generator=generator)
            for index in order.split(settings.minibatch):
                steps.append(self._step(batch.rows(index), optimizer, first=not steps))
            epochs += 1
            after = self._scores(batch)
            if losses.sampled_kl(after, batch.old, batch.mask) > settings.kl_stop:
                break
        names = steps[0].keys()
        metrics = {name: sum(step[name] for step in steps) / len(steps) for name in names}
        metrics["update/ratio_first"] = steps[0]["update/ratio_first"]
        metrics["update/sampler_gap"] = steps[0]["update/sampler_gap"]
        metrics["update/kl_step"] = losses.sampled_kl(after, batch.old, batch.mask)
        metrics["update/kl_reference"] = self._apart(batch)
        metrics["update/epochs"] = float(epochs)
        metrics["update/gradient_steps"] = float(len(steps))
        return metrics, after

    def _step(
        self, minibatch: Batch, optimizer: torch.optim.AdamW, *, first: bool
    ) -> dict[str, float]:
        optimizer.zero_grad()
        found: dict[str, float] = {}
        for piece in self._pieces(minibatch):
            value, metrics = self._loss(piece, share(piece, minibatch, self._group), first=first)
            value.backward()
            for name, number in metrics.items():
                found[name] = found.get(name, 0.0) + number
        parameters = self._policy.adapters.parameters(CANDIDATE).values()
        norm = torch.nn.utils.clip_grad_norm_(parameters, self._settings.grad_clip)
        found["update/gradient_norm"] = float(norm)
        if bool(torch.isfinite(norm)):
            optimizer.step()
        return found

    def _loss(
        self, part: Batch, weight: Share, *, first: bool
    ) -> tuple[Tensor, Mapping[str, float]]:
        """A micro-batch's share of the minibatch's loss and metrics: those of all parts add up."""
        settings, mask = self._settings, part.mask
        logits = self._logits(part.views, part.tokens, CANDIDATE)
        new = token_log_probs(logits, part.tokens, part.temperature)
        gap = float((new.detach() - part.old).abs().masked_select(mask).max())
        if first:
            must_agree(gap, self._policy.dtype, "these episodes are not of this adapter")
        clip = (settings.clip_low, settings.clip_high)
        clipped = losses.clipped_surrogate(new, part.old, part.advantage, mask, clip, self._group)
        value = weight.ratios * clipped.loss
        if settings.kl_weight:
            with torch.no_grad():
                reference = self._logits(part.views, part.tokens, REFERENCE)
            apart = losses.exact_kl(logits, reference, mask)
            value = value + settings.kl_weight * weight.tokens * apart
        cloned = losses.cross_entropy(new, mask & part.success[:, None])
        if settings.clone_weight:
            value = value + settings.clone_weight * weight.cloned * cloned
        spread = torch.log_softmax(logits.detach() / part.temperature, -1)
        entropy = -(spread.exp() * spread).sum(-1)
        return value, {
            "update/policy_loss": weight.ratios * float(clipped.loss.detach()),
            "update/ratio_first": weight.rows * float(clipped.ratio.detach().mean()),
            "update/clip_fraction": weight.ratios * clipped.clip_fraction,
            "update/sampler_gap": weight.rows * gap,
            "update/entropy": weight.tokens * float(entropy[mask].mean()),
            "update/clone_loss": weight.cloned * float(cloned.detach()),
        }

    def _logits(self, views: Views, tokens: Tensor, adapter: str | None) -> Tensor:
        """Logits (b, d, a) of the tokens' places; in turn, each follows the tokens before it."""
        model = self._policy.model
        with self._policy.adapters.use(adapter):
            seen = views.patches
            if self._pixels:
                config = self._policy.config
                seen = model.patches(to_pixels(seen, config.pixel_mean, config.pixel_std))
            words = views.prompt_ids, views.prompt_mask
            return model.action_logits(seen, views.proprio, *words, tokens)

    def _pieces(self, batch: Batch) -> Iterator[Batch]:
        """Micro-batches, each on the model's device when its turn comes."""
        for index in torch.arange(len(batch)).split(self._micro_batch):
            yield batch.rows(index).to(self._policy.device)

    @torch.no_grad()
    def _scores(self, batch: Batch) -> Tensor:
        """Log-probabilities (n, d) of the tokens under the candidate, at their temperature."""
        rows = []
        for part in self._pieces(batch):
            logits = self._logits(part.views, part.tokens, CANDIDATE)
            rows.append(token_log_probs(logits, part.tokens, part.temperature).cpu())
        return torch.cat(rows)

    @torch.no_grad()
    def _apart(self, batch: Batch) -> float:
        """Exact KL(candidate || reference) a token over the batch."""
        total = 0.0
        for part in self._pieces(batch):
            ours = self._logits(part.views, part.tokens, CANDIDATE)
            theirs = self._logits(part.views, part.tokens, REFERENCE)
            total += float(losses.exact_kl(ours, theirs, part.mask)) * int(part.mask.sum())
        return total / int(batch.mask.sum())

    @torch.no_grad()
    def _forgetting(self) -> float:
        """Rise of the banked successes' cross-entropy a token over what the reference gives."""
        rise, count = 0.0, 0
        for views, tokens, mask in self._bank:
            count += int(mask.sum())
            for index in torch.arange(len(tokens)).split(self._micro_batch):
                seen = views.rows(index).to(self._policy.device)
                said = tokens[index].to(self._policy.device)
                for name, sign in ((CANDIDATE, 1.0), (REFERENCE, -1.0)):
                    scores = token_log_probs(self._logits(seen, said, name), said, 1.0).cpu()
                    rise -= sign * float(scores[mask[index]].sum())
        return rise / max(count, 1)


def _out_of_memory(error: RuntimeError) -> bool:
    # The CPU's allocator has no error of its own.
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)
