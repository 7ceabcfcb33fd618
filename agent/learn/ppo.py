"""LoRA PPO between episodes: from on-policy episodes to a candidate adapter folder."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from agent.episode import ScoredEpisode
from agent.errors import DataError
from agent.learn import loss as losses
from agent.learn.baseline import Baseline
from agent.learn.optimizer import WEIGHTS as OPTIMIZER
from agent.learn.optimizer import load_optimizer, save_optimizer
from agent.learn.record import Acted, Views, encode
from agent.policy.adapters import AdapterSpec
from agent.policy.images import to_pixels
from agent.policy.policy import SLOT, VLAPolicy
from agent.policy.vla import log_probs as token_log_probs
from agent.reward.shaping import shape
from agent.settings import LearnSettings

CANDIDATE, REFERENCE = "candidate", "reference"
BANK_DECISIONS = 256
# Ratios would be wrong beyond this: the sampler and the learner must be one function.
MOST_GAP = 1e-3
# Below this spread an advantage is noise and is not blown up to unit size.
LEAST_SPREAD = 0.05


@dataclass(frozen=True, slots=True)
class Batch:
    """All decisions of an update (n), one after the other. advantage: (n,), normalised."""

    views: Views
    tokens: Tensor
    old: Tensor
    mask: Tensor
    advantage: Tensor
    success: Tensor
    temperature: float


class PPOLearner:
    """Improves the acting adapter on its own episodes; the acting one is never touched."""

    def __init__(self, policy: VLAPolicy, settings: LearnSettings, seed: int) -> None:
        self._policy, self._settings, self._seed = policy, settings, seed
        self._baseline = Baseline(settings)
        self._fresh: dict[str, Acted] = {}
        self._bank: list[tuple[Views, Tensor, Tensor]] = []
        self._banked = 0
        self._bank_start: float | None = None

    def observe(self, scored: ScoredEpisode) -> None:
        """Take note of a sealed episode."""
        acted, outline = encode(self._policy, scored, pixels=self._pixels)
        rewards = shape(
            scored, self._settings.gamma, self._settings.progress_weight, self._settings.shaping
        )
        self._baseline.observe(outline, rewards.total)
        self._fresh[acted.id] = acted
        if acted.success and self._banked < BANK_DECISIONS:
            self._bank.append((acted.views, acted.tokens, acted.mask))
            self._banked += len(acted.tokens)

    def update(self, batch: Sequence[ScoredEpisode], number: int, out: Path) -> dict[str, float]:
        """Write a candidate to `out`; see agent.protocols.Learner."""
        began = time.perf_counter()
        ids = [scored.episode.id for scored in batch]
        acted = [self._fresh[name] for name in ids]
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + number)
        advantages, metrics = self._baseline.advantages(ids, self._seed * 7919 + number)
        joined = self._join(acted, advantages, generator)
        metrics["update/decisions"] = float(len(joined.tokens))
        metrics["update/success_rate"] = sum(a.success for a in acted) / len(acted)
        metrics["update/advantage_std"] = float(torch.cat(advantages).std(correction=0))
        optimizer = self._prepare()
        metrics |= self._descend(joined, optimizer, generator)
        metrics["gate/forgetting"] = self._forgetting()
        self._policy.adapters.save(CANDIDATE, out)
        save_optimizer(optimizer, self._policy.adapters.parameters(CANDIDATE), out)
        self._baseline.save(out)
        # Every episode is used up by one update: what was not in this batch never will be.
        self._fresh.clear()
        metrics["update/seconds"] = time.perf_counter() - began
        return metrics

    @property
    def _pixels(self) -> bool:
        return self._settings.targets != "language"

    def _join(
        self, acted: Sequence[Acted], advantages: Sequence[Tensor], generator: torch.Generator
    ) -> Batch:
        advantage = torch.cat(list(advantages))
        spread = float(advantage.std(correction=0))
        if spread == 0.0:
            raise DataError(
                f"no difference in outcome among {len(acted)} episodes: nothing to learn from; "
                "more episodes, an easier shift or a shaped reward would help"
            )
        advantage = (advantage - advantage.mean()) / max(spread, LEAST_SPREAD)
        if self._settings.control == "random-advantage":
            advantage = torch.randn(advantage.shape, generator=generator)
        return Batch(
            views=_stack([each.views for each in acted]),
            tokens=torch.cat([each.tokens for each in acted]),
            old=torch.cat([each.log_probs for each in acted]),
            mask=torch.cat([each.mask for each in acted]),
            advantage=advantage,
            success=torch.cat([torch.full((len(a.tokens),), a.success) for a in acted]),
            temperature=acted[0].temperature,
        )

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
    ) -> dict[str, float]:
        settings = self._settings
        steps: list[dict[str, float]] = []
        epochs = 0
        for _ in range(settings.epochs):
            order = torch.randperm(len(batch.tokens), generator=generator)
            for index in order.split(settings.minibatch):
                steps.append(self._step(batch, index, optimizer, first=not steps))
            epochs += 1
            if self._moved(batch) > settings.kl_stop:
                break
        names = steps[0].keys()
        metrics = {name: sum(step[name] for step in steps) / len(steps) for name in names}
        metrics["update/ratio_first"] = steps[0]["update/ratio_first"]
        metrics["update/sampler_gap"] = steps[0]["update/sampler_gap"]
        metrics["update/kl_step"] = self._moved(batch)
        metrics["update/kl_reference"] = self._apart(batch)
        metrics["update/epochs"] = float(epochs)
        metrics["update/gradient_steps"] = float(len(steps))
        return metrics

    def _step(
        self, batch: Batch, index: Tensor, optimizer: torch.optim.AdamW, *, first: bool
    ) -> dict[str, float]:
        optimizer.zero_grad()
        found: dict[str, float] = {}
        for part in index.split(self._settings.micro_batch):
            share = len(part) / len(index)
            value, metrics = self._loss(batch, part)
            if first and metrics["update/sampler_gap"] > MOST_GAP:
                raise DataError(
                    f"sampler and learner differ by {metrics['update/sampler_gap']:.2g} in log-"
                    f"probability, limit {MOST_GAP:g}: these episodes are not of this adapter"
                )
            (value * share).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            for name, number in metrics.items():
                found[name] = found.get(name, 0.0) + share * number
        parameters = self._policy.adapters.parameters(CANDIDATE).values()
        norm = torch.nn.utils.clip_grad_norm_(parameters, self._settings.grad_clip)
        found["update/gradient_norm"] = float(norm)
        if bool(torch.isfinite(norm)):
            optimizer.step()
        return found

    def _loss(self, batch: Batch, part: Tensor) -> tuple[Tensor, dict[str, float]]:
        settings = self._settings
        logits = self._logits(batch.views.rows(part), CANDIDATE)
        tokens, old, mask = batch.tokens[part], batch.old[part], batch.mask[part]
        new = token_log_probs(logits, tokens, batch.temperature)
        group = {"decision": tokens.shape[1], "action": 7, "token": 1}[settings.ratio]
        clipped = losses.clipped_surrogate(
            new, old, batch.advantage[part], mask, (settings.clip_low, settings.clip_high), group
        )
        value = clipped.loss
        if settings.kl_weight:
            with torch.no_grad():
                reference = self._logits(batch.views.rows(part), REFERENCE)
            value = value + settings.kl_weight * losses.exact_kl(logits, reference, mask)
        cloned = losses.cross_entropy(new, mask & batch.success[part, None])
        if settings.clone_weight:
            value = value + settings.clone_weight * cloned
        spread = torch.log_softmax(logits.detach() / batch.temperature, -1)
        entropy = -(spread.exp() * spread).sum(-1)
        return value, {
            "update/policy_loss": float(clipped.loss.detach()),
            "update/ratio_first": float(clipped.ratio.detach().mean()),
            "update/clip_fraction": clipped.clip_fraction,
            "update/sampler_gap": float((new.detach() - old).abs().masked_select(mask).max()),
            "update/entropy": float(entropy[mask].mean()),
            "update/clone_loss": float(cloned.detach()),
        }

    def _logits(self, views: Views, adapter: str | None) -> Tensor:
        model = self._policy.model
        with self._policy.adapters.use(adapter):
            seen = views.patches
            if self._pixels:
                config = self._policy.config
                seen = model.patches(to_pixels(seen, config.pixel_mean, config.pixel_std))
            return model.action_logits(seen, views.proprio, views.prompt_ids, views.prompt_mask)

    @torch.no_grad()
    def _moved(self, batch: Batch) -> float:
        """KL(old || new) a token, estimated on the sampled ones: mean of r - 1 - log r.

        Schulman, "Approximating KL divergence" (2020), estimator k3: unbiased, never negative.
        """
        total, count = 0.0, 0
        for part in torch.arange(len(batch.tokens)).split(self._settings.micro_batch):
            logits = self._logits(batch.views.rows(part), CANDIDATE)
            new = token_log_probs(logits, batch.tokens[part], batch.temperature)
            log_ratio = (new - batch.old[part])[batch.mask[part]]
            total += float((log_ratio.exp() - 1 - log_ratio).sum())
            count += log_ratio.numel()
        return total / max(count, 1)

    @torch.no_grad()
    def _apart(self, batch: Batch) -> float:
        """Exact KL(candidate || reference) a token over the batch."""
        parts = torch.arange(len(batch.tokens)).split(self._settings.micro_batch)
        total = 0.0
        for part in parts:
            views = batch.views.rows(part)
            ours, theirs = self._logits(views, CANDIDATE), self._logits(views, REFERENCE)
            total += float(losses.exact_kl(ours, theirs, batch.mask[part])) * len(part)
        return total / len(batch.tokens)

    @torch.no_grad()
    def _forgetting(self) -> float:
        """Rise of the banked successes' cross-entropy over what the reference gives them."""
        if not self._bank:
            return 0.0
        rise = 0.0
        for views, tokens, mask in self._bank:
            for name, sign in ((CANDIDATE, 1.0), (REFERENCE, -1.0)):
                scores = token_log_probs(self._logits(views, name), tokens, 1.0)
                rise += sign * float(losses.cross_entropy(scores, mask)) * len(tokens)
        return rise / self._banked


def _stack(views: Sequence[Views]) -> Views:
    longest = max(each.prompt_ids.shape[1] for each in views)
    proprio = [each.proprio for each in views if each.proprio is not None]
    return Views(
        torch.cat([each.patches for each in views]),
        torch.cat(proprio) if proprio else None,
        torch.cat([_padded(each.prompt_ids, longest) for each in views]),
        torch.cat([_padded(each.prompt_mask, longest) for each in views]),
    )


def _padded(rows: Tensor, longest: int) -> Tensor:
    return torch.nn.functional.pad(rows, (longest - rows.shape[1], 0))
