"""The VLA as an agent.protocols.Policy: views in, decisions out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from agent.episode import Decision, Float32Array, Observation
from agent.errors import DataError, UsageError
from agent.policy import correction
from agent.policy.action_tokens import read_stats, to_actions
from agent.policy.adapters import Adapters
from agent.policy.checkpoint import base_hash, load_checkpoint, load_config
from agent.policy.images import PIPELINES, to_pixels
from agent.policy.quantized import quantize
from agent.policy.tokenizer import load_tokenizer
from agent.policy.usage import Usage, device_of, dtype_of, told
from agent.policy.vla import Draw

SLOT = "policy"
BASE = "base"
AS_IT_IS = Usage()
FARTHEST = 5.0  # standard deviations of proprioception; beyond is clipped


@dataclass(frozen=True, slots=True)
class ModelInputs:
    """What the model sees of B views. Both the sampler and the learner start from this.

    pixels: (B, C, px, px, 3) uint8. proprio: (B, p) float32, normalised; None for a model that
    feels nothing. prompt_ids: (B, L) int64; prompt_mask: (B, L) bool, True where a token counts.
    """

    pixels: Tensor
    proprio: Tensor | None
    prompt_ids: Tensor
    prompt_mask: Tensor

    def __len__(self) -> int:
        """Views."""
        return len(self.pixels)

    def rows(self, index: Tensor) -> ModelInputs:
        """Pick some views."""
        proprio = None if self.proprio is None else self.proprio[index]
        return ModelInputs(
            self.pixels[index], proprio, self.prompt_ids[index], self.prompt_mask[index]
        )

    def to(self, device: str | torch.device) -> ModelInputs:
        """Move to a device."""
        proprio = None if self.proprio is None else self.proprio.to(device)
        return ModelInputs(
            self.pixels.to(device), proprio, self.prompt_ids.to(device), self.prompt_mask.to(device)
        )


class VLAPolicy:
    """Answers views with the VLA in a checkpoint folder, through the adapter loaded last."""

    def __init__(self, folder: Path, threads: int = 1, usage: Usage = AS_IT_IS) -> None:
        """Read the checkpoint. threads: of torch, for this whole process.

        Raises DataError for a folder that cannot be used, UsageError for a device that is absent.
        """
        torch.set_num_threads(threads)
        self.folder = folder
        self.base = usage.base
        self.device = device_of(usage)
        self.config = told(load_config(folder), usage)
        self.tokenizer = load_tokenizer(folder, self.config)
        self.stats = read_stats(self.config.norm_stats, self.config.norm_key)
        # To be quantised it is read into main memory first: whole it might not fit the device.
        first = self.device if usage.base == "whole" else torch.device("cpu")
        self.model = load_checkpoint(folder, first, dtype_of(usage, self.device), self.config)
        quantize(self.model, usage.base, self.device)
        self.model.to(self.device)
        kind = "" if usage.base == "whole" else f"+{usage.base}"
        self.adapters = Adapters(self.model, base_hash(folder) + kind)
        self._generator = torch.Generator(self.device)
        self._adapter = BASE
        self.adapter_folder: Path | None = None
        self._correction: correction.Correction | None = None
        self.seed(0)

    @property
    def adapter(self) -> str:
        """The adapter that answers now; "base" for none."""
        return self._adapter

    @property
    def sight(self) -> str:
        """Through which correction pictures are seen; "" for none."""
        return self._correction.name if self._correction else ""

    @property
    def dtype(self) -> torch.dtype:
        """What the frozen base computes in."""
        return self.model.projector.fc1.weight.dtype

    def seed(self, seed: int) -> None:
        """Fix every random choice from here on."""
        self._generator.manual_seed(seed)

    def load(self, adapter_folder: Path | None, name: str) -> None:
        """Answer through a saved adapter from now on, known as `name`; None: the bare base.

        Raises DataError for a folder that does not fit; the adapter before then stays.
        """
        if adapter_folder is None:
            if SLOT in self.adapters.names:
                self.adapters.detach(SLOT)
            self._adapter, self.adapter_folder, self._correction = BASE, None, None
            return
        if name == BASE:
            raise DataError(f"{BASE!r} means no adapter; give {adapter_folder} another name")
        corrected = correction.read(adapter_folder, self.config.cameras)
        self.adapters.load(adapter_folder, SLOT)
        self._correction = corrected
        self.adapters.activate(SLOT)  # and so it stays: switching for each decision costs 4 ms
        self._adapter, self.adapter_folder = name, adapter_folder

    def act(self, views: Sequence[Observation], temperature: float) -> tuple[Decision, ...]:
        """Answer each view with one decision; temperature 0 is greedy.

        Raises UsageError for a temperature below 0, DataError for a view the model cannot read,
        SafetyStop for an answer that is not finite.
        """
        return self._drawn(views, 1, temperature)

    def propose(self, view: Observation, count: int, temperature: float) -> tuple[Decision, ...]:
        """Answer one view several times, as `act` answers copies of it; it is looked at once.

        Raises as `act` does, and UsageError for a count below 1.
        """
        if count < 1:
            raise UsageError(f"proposals must be 1 or more; found {count}")
        return self._drawn([view], count, temperature)

    def _drawn(
        self, views: Sequence[Observation], count: int, temperature: float
    ) -> tuple[Decision, ...]:
        if not 0 <= temperature < float("inf"):
            raise UsageError(f"a temperature must be 0 (greedy) or more; found {temperature}")
        if not views:
            return ()
        inputs = self.batch(views).to(self.device)
        slot = None if self._adapter == BASE else SLOT
        how = Draw(temperature, count, self._generator)
        with torch.inference_mode(), self.adapters.use(slot):
            words = inputs.prompt_ids, inputs.prompt_mask
            seen = self.patches(inputs)
            tokens, scores = self.model.propose(seen, inputs.proprio, *words, how)
        bins = tokens.flatten(0, 1).cpu().numpy().astype(np.int16)
        log_probs = scores.flatten(0, 1).float().cpu().numpy()
        return tuple(
            Decision(to_actions(row, self.stats), row, score, self._adapter, temperature)
            for row, score in zip(bins, log_probs, strict=True)
        )

    def batch(self, views: Sequence[Observation]) -> ModelInputs:
        """Turn views into the model's inputs, on the CPU.

        Raises DataError naming what the model wants and what the view has.
        """
        images = np.stack([self._images(view) for view in views])
        ids, mask = self.tokenizer.batch([view.instruction for view in views])
        proprio = None
        if self.config.proprio_dim:
            proprio = torch.from_numpy(np.stack([self._proprio(view) for view in views]))
        return ModelInputs(torch.from_numpy(images), proprio, ids, mask)

    def patches(self, inputs: ModelInputs) -> Tensor:
        """Projected patch tokens (B, P, H) of inputs."""
        return self.look(inputs.pixels)

    def look(self, pictures: Tensor) -> Tensor:
        """Projected patch tokens (B, P, H) of pictures (B, C, px, px, 3) uint8.

        The one place where pictures are corrected: sampler and learner both look through it.
        """
        config = self.config
        pixels = to_pixels(pictures, config.pixel_mean, config.pixel_std, self._correction)
        return self.model.patches(pixels)

    def keep_sight(self, folder: Path) -> None:
        """Write the correction in force, if there is one, to an adapter's folder."""
        if self._correction is not None:
            self._correction.save(folder)

    def _images(self, view: Observation) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        missing = [name for name in self.config.cameras if name not in view.images]
        if missing:
            raise DataError(
                f"this policy wants cameras {', '.join(self.config.cameras)}; "
                f"the view has {', '.join(view.images) or 'none'}"
            )
        fit, px = PIPELINES[self.config.images], self.config.image_px
        return np.stack([fit(view.images[name], px) for name in self.config.cameras])

    def _proprio(self, view: Observation) -> Float32Array:
        wanted = self.config.proprio_dim
        if view.proprio.shape != (wanted,) or not np.isfinite(view.proprio).all():
            raise DataError(
                f"this policy wants {wanted} finite numbers of proprioception; "
                f"the view has {view.proprio.shape}, {view.proprio.tolist()}"
            )
        apart = (view.proprio - np.array(self.config.proprio_mean)) / self.config.proprio_std
        clipped: Float32Array = np.clip(apart, -FARTHEST, FARTHEST).astype(np.float32)
        return clipped
