"""Gradient descent of the candidate adapter on one batch."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from agent.errors import DataError
from agent.learn import loss as losses
from agent.learn.agreement import must_agree
from agent.learn.bank import Bank
from agent.learn.batch import Batch, Share, share
from agent.learn.forward import Forward
from agent.learn.optimizer import WEIGHTS as OPTIMIZER
from agent.learn.optimizer import load_optimizer
from agent.learn.replay import Replay
from agent.policy.adapters import AdapterSpec
from agent.policy.policy import SLOT, VLAPolicy
from agent.policy.vla import log_probs as token_log_probs
from agent.settings import LearnSettings

log = logging.getLogger(__name__)

CANDIDATE, REFERENCE = "candidate", "reference"


class Descent:
    """Makes a candidate out of the acting adapter; where memory runs out, in smaller pieces."""

    def __init__(
        self, policy: VLAPolicy, settings: LearnSettings, seed: int, forward: Forward
    ) -> None:
        self._policy, self._settings, self._seed = policy, settings, seed
        self._forward = forward
        self._group = {"decision": policy.config.tokens, "action": 7, "token": 1}[settings.ratio]

    def fit(
        self, batch: Batch, replay: Replay, bank: Bank, number: int, generator: torch.Generator
    ) -> tuple[torch.optim.AdamW, dict[str, float], Tensor]:
        """The candidate's optimizer, metrics, and its log-probabilities (n, d) of the batch."""
        start, forward = generator.get_state(), self._forward
        while True:
            generator.set_state(start)
            # Its own luck, so that the batch is gone through in the same order with and without.
            luck = torch.Generator().manual_seed(self._seed * 15_485_863 + number)
            try:
                optimizer = self._prepare()
                found, after = self._descend(batch, optimizer, replay, generator, luck)
                found["gate/forgetting"] = bank.rise(forward, CANDIDATE, REFERENCE)
                return optimizer, found, after
            except RuntimeError as error:
                if not _out_of_memory(error):
                    raise
                if forward.at_once == 1:
                    raise DataError(
                        "memory for one decision a forward pass wanted, none found: "
                        f"{str(error).splitlines()[0]}; use a smaller adapter or checkpoint"
                    ) from error
            forward.at_once = max(1, min(forward.at_once, len(batch)) // 2)
            log.warning("out of memory: learning from %d decisions at once", forward.at_once)

    def _prepare(self) -> torch.optim.AdamW:
        """Clone the acting adapter into the candidate, and give it its optimizer back."""
        adapters, settings = self._policy.adapters, self._settings
        spec = AdapterSpec(settings.rank, settings.alpha, settings.targets, settings.top_layers)
        if REFERENCE not in adapters.names:
            # A clone of where the run began, fresh or resumed: it does not move with what acts.
            adapters.attach(REFERENCE, spec, self._seed)
        if SLOT in adapters.names and adapters.spec(SLOT).top != spec.top:
            raise DataError(
                f"adapters on {_blocks(spec.top)} wanted (learn.top_layers), found "
                f"{self._policy.adapter!r} on {_blocks(adapters.spec(SLOT).top)}; set "
                "learn.top_layers to what it was made with"
            )
        adapters.copy(SLOT if SLOT in adapters.names else REFERENCE, CANDIDATE)
        adapters.freeze(CANDIDATE)
        parameters = adapters.parameters(CANDIDATE)
        optimizer = torch.optim.AdamW(parameters.values(), lr=settings.learning_rate, eps=1e-5)
        folder = self._policy.adapter_folder
        if folder is not None and (folder / OPTIMIZER).exists():
            load_optimizer(optimizer, parameters, folder)
        return optimizer

    def _descend(
        self,
        batch: Batch,
        optimizer: torch.optim.AdamW,
        replay: Replay,
        generator: torch.Generator,
        luck: torch.Generator,
    ) -> tuple[dict[str, float], Tensor]:
        """Metrics, and the tokens' log-probabilities (n, d) under what was learned."""
        settings, forward = self._settings, self._forward
        steps: list[dict[str, float]] = []
        # The reference never moves: it is asked once, not at every step.
        reference = forward.all_logits(batch, REFERENCE)
        batch = replace(batch, reference=reference)
        epochs, after, logits = 0, batch.old, reference
        while epochs < settings.epochs:
            order = torch.randperm(len(batch), generator=generator)
            for index in order.split(settings.minibatch):
                again = (
                    replay.draw(settings.minibatch, batch.temperature, luck)
                    if len(replay)
                    else None
                )
                steps.append(self._step(batch.rows(index), again, optimizer, first=not steps))
            epochs += 1
            logits = forward.all_logits(batch, CANDIDATE)
            after = token_log_probs(logits, batch.tokens, batch.temperature)
            if losses.sampled_kl(after, batch.old, batch.mask) > settings.kl_stop:
                break
        names = steps[0].keys()
        metrics = {name: sum(step[name] for step in steps) / len(steps) for name in names}
        metrics["update/ratio_first"] = steps[0]["update/ratio_first"]
        metrics["update/sampler_gap"] = steps[0]["update/sampler_gap"]
        metrics["update/kl_step"] = losses.sampled_kl(after, batch.old, batch.mask)
        metrics["update/kl_reference"] = float(losses.exact_kl(logits, reference, batch.mask))
        metrics["update/epochs"] = float(epochs)
        metrics["update/gradient_steps"] = float(len(steps))
        return metrics, after

    def _step(
        self,
        minibatch: Batch,
        again: Batch | None,
        optimizer: torch.optim.AdamW,
        *,
        first: bool,
    ) -> dict[str, float]:
        optimizer.zero_grad()
        found: dict[str, float] = {"update/replay_loss": 0.0}
        for piece in self._forward.pieces(minibatch):
            value, metrics = self._loss(piece, share(piece, minibatch, self._group), first=first)
            value.backward()
            for name, number in metrics.items():
                found[name] = found.get(name, 0.0) + number
        if again is not None:
            for piece in self._forward.pieces(again):
                weight = share(piece, again, self._group).tokens
                cloned = self._cloned(piece)
                (self._settings.clone_weight * weight * cloned).backward()
                found["update/replay_loss"] += weight * float(cloned.detach())
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
        logits = self._forward.logits(part.views, part.tokens, CANDIDATE)
        new = token_log_probs(logits, part.tokens, part.temperature)
        gap = float((new.detach() - part.old).abs().masked_select(mask).max())
        if first:
            must_agree(gap, self._policy.dtype, "these episodes are not of this adapter")
        clip = (settings.clip_low, settings.clip_high)
        clipped = losses.clipped_surrogate(new, part.old, part.advantage, mask, clip, self._group)
        policy = weight.ratios * clipped.loss
        if settings.rule == "rft":  # what is left in its batch are successes
            policy = weight.tokens * losses.cross_entropy(new, mask)
        value = policy
        if settings.kl_weight and part.reference is not None:
            apart = losses.exact_kl(logits, part.reference, mask)
            value = value + settings.kl_weight * weight.tokens * apart
        cloned = losses.cross_entropy(new, mask & part.success[:, None])
        if settings.clone_weight:
            value = value + settings.clone_weight * weight.cloned * cloned
        spread = torch.log_softmax(logits.detach() / part.temperature, -1)
        entropy = -(spread.exp() * spread).sum(-1)
        return value, {
            "update/policy_loss": float(policy.detach()),
            "update/ratio_first": weight.rows * float(clipped.ratio.detach().mean()),
            "update/clip_fraction": weight.ratios * clipped.clip_fraction,
            "update/sampler_gap": weight.rows * gap,
            "update/entropy": weight.tokens * float(entropy[mask].mean()),
            "update/clone_loss": weight.cloned * float(cloned.detach()),
        }

    def _cloned(self, part: Batch) -> Tensor:
        """Cross-entropy of earlier successes under the candidate."""
        logits = self._forward.logits(part.views, part.tokens, CANDIDATE)
        return losses.cross_entropy(
            token_log_probs(logits, part.tokens, part.temperature), part.mask
        )


def _blocks(top: int) -> str:
    return f"the top {top} blocks" if top else "all blocks"


def _out_of_memory(error: RuntimeError) -> bool:
    # The CPU's allocator has no error of its own.
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)
