"""A reader that is a local vision-language model, read by the logits of one-token answers."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from agent.episode import Float32Array, Uint8Array
from agent.errors import RewardUnavailable
from agent.reward.asking import Asker
from agent.reward.lessons import pictures_of
from agent.reward.question import MILESTONE, PROGRESS, SUCCESS, asked
from agent.reward.reader import Frames, Opinion
from agent.reward.vlm_folder import load_vlm, vlm_hash

_REMEMBERED = 512  # pictures whose features are kept


class VlmReader:
    """Asks a model of a local folder about every view: done, yes or no; how far, 0 to 9.

    It is shown the first view through the first camera (by name), then the view through all. Each
    picture is encoded once, whatever is asked of it and however often it comes again.
    """

    def __init__(self, folder: Path, device: str = "cpu", batch: int = 16) -> None:
        """Read the folder. batch: views a forward pass. Raises DataError where it cannot serve."""
        model, processor = load_vlm(folder, device)
        self.id = f"vlm/{folder.resolve().name}@{vlm_hash(folder)[:12]}"
        self._asker = Asker(model, processor)
        self._batch = batch
        self._features: OrderedDict[str, Tensor] = OrderedDict()

    def read(self, frames: Frames) -> Opinion:
        """Say it of every view. Raises RewardUnavailable where the model cannot look at them.

        progress is the mean over the answers 0 to 9. uncertainty is 1 - (P(yes) + P(no)) (1 - H),
        with H the entropy, in bits, of yes against no: 1 also for a model that says neither.
        """
        shown = [pictures_of(frames.images, view, 0) for view in range(len(frames))]
        done = self._answers(SUCCESS, frames.instruction, shown)
        far = self._answers(PROGRESS, frames.instruction, shown)
        success, said = self._yes(done)
        doubt = _entropy_bits(success)
        return Opinion(
            success=_array(success),
            progress=_array(self._progress(far)),
            uncertainty=_array(1.0 - said * (1.0 - doubt)),
        )

    def milestones(self, frames: Frames, since: int = 0) -> Float32Array:
        """Probability that a part was completed between view `since` and each view, (n,)."""
        shown = [pictures_of(frames.images, view, since) for view in range(len(frames))]
        return _array(self._yes(self._answers(MILESTONE, frames.instruction, shown))[0])

    def _answers(
        self, template: str, instruction: str, shown: Sequence[Sequence[Uint8Array]]
    ) -> Tensor:
        """Logits (n, vocabulary) of the answer about each view."""
        text = asked(template, instruction)
        try:
            with torch.inference_mode():
                parts = [
                    self._logits(text, shown[first : first + self._batch])
                    for first in range(0, len(shown), self._batch)
                ]
        # What a model of any architecture raises for pictures it cannot take.
        except (ValueError, RuntimeError, TypeError, IndexError, KeyError) as error:
            raise RewardUnavailable(
                f"{self.id} cannot look at {len(shown[0]) if shown else 0} pictures of a view: "
                f"{error}"
            ) from error
        found = torch.cat(parts)
        if not bool(found.isfinite().all()):
            raise RewardUnavailable(f"{self.id} answers with numbers that are not finite")
        return found

    def _logits(self, text: str, shown: Sequence[Sequence[Uint8Array]]) -> Tensor:
        if not self._asker.caches:
            return self._asker.logits_of(text, shown)
        names = [[_name(picture) for picture in each] for each in shown]
        fresh = {
            name: picture
            for each, named in zip(shown, names, strict=True)
            for picture, name in zip(each, named, strict=True)
            if name not in self._features
        }
        known = dict(zip(fresh, self._seen(list(fresh.values())), strict=True)) if fresh else {}
        if not self._asker.caches:
            return self._asker.logits_of(text, shown)
        for name in (name for named in names for name in named if name in self._features):
            self._features.move_to_end(name)
        self._features.update(known)
        features = [[self._features[name] for name in named] for named in names]
        while len(self._features) > _REMEMBERED:
            self._features.popitem(last=False)
        return self._asker.logits([self._asker.words(text, each) for each in shown], features)

    def _seen(self, pictures: Sequence[Uint8Array]) -> list[Tensor]:
        sizes = {each.shape for each in pictures}
        if len(sizes) == 1:
            return self._asker.see(pictures)
        # Pictures of several sizes make tensors of several shapes.
        return [self._asker.see([each])[0] for each in pictures]

    def _progress(self, logits: Tensor) -> Tensor:
        """The mean over the answers 0 to 9, as a share of 9, (n,)."""
        told = torch.stack([logits[:, each].logsumexp(1) for each in self._asker.bins], 1)
        steps = torch.linspace(0.0, 1.0, told.shape[1], device=told.device)
        return (told.softmax(1) * steps).sum(1)

    def _yes(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """P(yes) / (P(yes) + P(no)) and P(yes) + P(no), each (n,)."""
        told = logits.log_softmax(1)
        yes, no = (told[:, each].logsumexp(1) for each in (self._asker.yes, self._asker.no))
        return (yes - no).sigmoid(), (yes.exp() + no.exp()).clamp(max=1.0)


def _entropy_bits(chance: Tensor) -> Tensor:
    """Entropy of a yes of this probability, in bits."""
    parts = torch.stack([chance, 1.0 - chance])
    found: Tensor = -torch.xlogy(parts, parts).sum(0) / np.log(2.0)
    return found


def _name(picture: Uint8Array) -> str:
    shape = repr(picture.shape).encode()
    return hashlib.sha256(shape + np.ascontiguousarray(picture).tobytes()).hexdigest()


def _array(values: Tensor) -> Float32Array:
    found: Float32Array = values.clamp(0.0, 1.0).float().cpu().numpy()
    return found
