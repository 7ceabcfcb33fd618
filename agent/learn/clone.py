"""Behaviour cloning: teaches a fresh VLA to answer as the demonstrator did."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, distributed, nn

from agent.learn.augmentation import augmented
from agent.learn.demonstrations import Frames, chunks
from agent.policy.action_tokens import BINS, CENTRES, ActionStats, to_bins, to_unit
from agent.policy.images import to_pixels
from agent.policy.vla import VLA


@dataclass(frozen=True, slots=True)
class CloneSettings:
    """How long and how hard to train.

    steps: of the learning-rate schedule; until: where to stop in it. batch: in each process.
    sigma_bins: width of the smoothed target around the demonstrated bin, in bins.
    auxiliary: weight of the head that reads privileged positions off the patches; dropped after.
    average: decay of the averaged weights that are kept. augment: how far pictures are changed.
    """

    steps: int = 6000
    until: int = 6000
    batch: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    sigma_bins: float = 4.0
    auxiliary: float = 1.0
    average: float = 0.998
    augment: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """Where training is. landmark_error: mean absolute error of the auxiliary head, metres."""

    step: int
    steps: int
    loss: float
    landmark_error: float


@dataclass(frozen=True, slots=True)
class Prompts:
    """Tokenised instructions, one a row: ids and mask, each (instructions, l)."""

    ids: Tensor
    mask: Tensor


class LandmarkHead(nn.Module):
    """Reads (m,) positions off the projected patches, so that they come to carry them."""

    def __init__(self, patches: int, width: int, outputs: int) -> None:
        super().__init__()
        self.narrow = nn.Linear(width, 16)
        self.read = nn.Sequential(
            nn.Flatten(), nn.Linear(16 * patches, 256), nn.GELU(), nn.Linear(256, outputs)
        )

    def forward(self, patches: Tensor) -> Tensor:
        """Positions (b, m) from patches (b, p, h)."""
        result: Tensor = self.read(self.narrow(patches))
        return result


class Cloner:
    """One training run."""

    def __init__(
        self,
        model: VLA,
        frames: Frames,
        prompts: Prompts,
        stats: ActionStats,
        settings: CloneSettings,
    ) -> None:
        self._model, self._frames, self._prompts = model, frames, prompts
        self._stats = stats
        self._settings = settings
        config = model.config
        patches = sum(config.towers[0].patches for _ in config.cameras)
        outputs = frames.privileged.shape[1]
        torch.manual_seed(settings.seed)
        # A checkpoint that was read is frozen, as acting wants it.
        model.requires_grad_(requires_grad=True)
        self._head = LandmarkHead(patches, int(config.text_config["hidden_size"]), outputs)
        self._scale = torch.from_numpy(frames.privileged.std(0) + 1e-3)
        self._mean = torch.from_numpy(frames.privileged.mean(0))
        self._parameters = [*model.parameters(), *self._head.parameters()]
        self._share = distributed.is_initialized()
        self._rank = distributed.get_rank() if self._share else 0
        self._optimizer = torch.optim.AdamW(
            self._parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimizer, settings.learning_rate, total_steps=settings.steps, pct_start=0.1
        )
        self._average = {n: p.detach().clone() for n, p in model.named_parameters()}
        self._step = 0

    def run(
        self,
        on_progress: Callable[[Progress], None],
        keep: Callable[[VLA], None],
        every: int = 50,
        keep_every: int = 1000,
    ) -> None:
        """Train to the last step; `keep` is given the averaged weights now and then and at the end.

        Where several processes train together, only the first one reports and keeps.
        """
        sums = np.zeros(2)
        end = min(self._settings.steps, self._settings.until)
        while self._step < end:
            sums += self._descend()
            self._step += 1
            last = self._step == end
            if self._rank == 0 and (last or self._step % keep_every == 0):
                with self._averaged():
                    keep(self._model)
            if self._step % every == 0 or last:
                loss, error = sums / ((self._step - 1) % every + 1)
                if self._rank == 0:
                    total = self._settings.steps
                    on_progress(Progress(self._step, total, float(loss), float(error)))
                sums[:] = 0

    @contextlib.contextmanager
    def _averaged(self) -> Iterator[None]:
        """Put the averaged weights into the model for a while."""
        own = {n: p.detach().clone() for n, p in self._model.named_parameters()}
        self._put(self._average)
        try:
            yield
        finally:
            self._put(own)

    @torch.no_grad()
    def _put(self, weights: dict[str, Tensor]) -> None:
        for name, parameter in self._model.named_parameters():
            parameter.copy_(weights[name])

    def _descend(self) -> np.ndarray:
        settings = self._settings
        draw = np.random.default_rng((settings.seed, self._step, self._rank))
        index = draw.integers(len(self._frames), size=settings.batch)
        loss, error = self._loss(index)
        self._optimizer.zero_grad()
        loss.backward()
        if self._share:
            _average_gradients(self._parameters)
        nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
        self._optimizer.step()
        self._schedule.step()
        decay = min(settings.average, (1 + self._step) / (10 + self._step))
        with torch.no_grad():
            for name, parameter in self._model.named_parameters():
                self._average[name].lerp_(parameter, 1 - decay)
        return np.array([float(loss.detach()), error])

    def _loss(self, index: np.ndarray) -> tuple[Tensor, float]:
        frames, model = self._frames, self._model
        images = torch.from_numpy(frames.looks(index))
        if self._settings.augment:
            drawn = (self._settings.seed, self._step, self._rank)
            images = augmented(images, self._settings.augment, drawn)
        config = model.config
        patches = model.patches(to_pixels(images, config.pixel_mean, config.pixel_std))
        felt = (frames.proprio[index] - np.array(config.proprio_mean)) / config.proprio_std
        proprio = torch.from_numpy(felt.astype(np.float32))
        rows = torch.from_numpy(frames.instruction[index])
        wanted, real = chunks(frames, index, model.config.chunk)
        values = torch.from_numpy(to_unit(wanted, self._stats)).float().flatten(1)
        bins = torch.from_numpy(to_bins(values.double().numpy()))
        target = smoothed(values, self._settings.sigma_bins)
        logits = model.action_logits(
            patches, proprio, self._prompts.ids[rows], self._prompts.mask[rows], bins
        )
        each = -(target * torch.log_softmax(logits, -1)).sum(-1)
        mask = torch.from_numpy(real).repeat_interleave(7, 1)
        loss = (each * mask).sum() / mask.sum()
        truth = torch.from_numpy(frames.privileged[index])
        guess = self._head(patches)
        miss = nn.functional.huber_loss(guess, (truth - self._mean) / self._scale)
        error = ((guess * self._scale + self._mean) - truth).abs().mean()
        return loss + self._settings.auxiliary * miss, float(error.detach())


def _average_gradients(parameters: list[nn.Parameter]) -> None:
    """Average gradients over all processes, in one message."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    done = 0
    for gradient in gradients:
        part = flat[done : done + gradient.numel()]
        gradient.copy_(part.view_as(gradient))
        done += gradient.numel()


def smoothed(values: Tensor, sigma_bins: float) -> Tensor:
    """A bell over the bins around each value in [-1, 1]: (b, d) to (b, d, 256), summing to 1."""
    # The last two bins decode alike; the last one is never a target.
    centres = torch.from_numpy(np.append(CENTRES, np.inf)).float()
    width = sigma_bins * 2.0 / BINS
    return torch.softmax(-0.5 * ((centres - values[..., None]) / width) ** 2, -1)
