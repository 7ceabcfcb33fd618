"""Teaches a vision-language model to judge: next-token prediction on one-token answers."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from agent.errors import DataError, Interrupted
from agent.reward.asking import Asker, Model
from agent.reward.landmarks import LandmarkHead
from agent.reward.lessons import Deck, Lessons, Shown
from agent.reward.progress_file import read_state, write_state

WARM_SHARE = 0.1  # of the steps, in which the step size rises


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How long and how hard to train.

    steps: of the schedule; until: where to stop in it. views: drawn a step; questions: of each, at
    most. full: every weight learns, else LoRA on the language model's linear layers. auxiliary:
    weight of telling where things are, where the labels say it and every weight learns.
    average: decay of the averaged weights that are kept. vary: change light and colours.
    """

    steps: int = 2000
    until: int = 0
    views: int = 24
    questions: int = 3
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    full: bool = False
    rank: int = 16
    alpha: int = 32
    auxiliary: float = 1.0
    average: float = 0.995
    vary: bool = True
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """Where training is: mean loss a question since the last report, nats; held_out: of others."""

    step: int
    steps: int
    loss: float
    marks: float
    held_out: float


class Trainer:
    """One training run over a model that is already in memory; its weights change in place."""

    def __init__(
        self, asker: Asker, lessons: Lessons, held_out: Lessons | None, settings: TrainSettings
    ) -> None:
        self.asker, self._settings = asker, settings
        self._lessons = lessons
        self._deck = Deck(lessons, settings.questions)
        self._held_out = Deck(held_out, settings.questions) if held_out else None
        torch.manual_seed(settings.seed)
        # Changes the model in place: its own forward pass then goes through the adapter.
        self._adapted = None if settings.full else _with_lora(asker.model, settings)
        if settings.full:
            asker.model.requires_grad_(requires_grad=True)
        self._head = self._head_for(lessons) if settings.full else None
        self._named = {n: p for n, p in asker.model.named_parameters() if p.requires_grad}
        heads = dict(self._head.named_parameters()) if self._head else {}
        self._all = {**self._named, **{f"landmarks.{name}": p for name, p in heads.items()}}
        self._optimizer = torch.optim.AdamW(
            self._all.values(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self._average = {name: p.detach().clone() for name, p in self._named.items()}
        self._step = 0

    def resume(self, path: Path) -> None:
        """Go on from a file of `save`. Raises DataError for one of another training."""
        self._step = read_state(path, self._all, self._average, self._optimizer, self._told())

    def save(self, path: Path) -> None:
        """Keep all that is needed to go on to the bit."""
        write_state(path, self._step, self._all, self._average, self._optimizer, self._told())

    def run(
        self,
        on_progress: Callable[[Progress], None],
        keep: Callable[[], None],
        every: int = 50,
        keep_every: int = 500,
        stop_wanted: Callable[[], bool] = lambda: False,
    ) -> None:
        """Train to the last step; `keep` is called now and then and at the end.

        `stop_wanted` is asked after each step; True keeps all and raises Interrupted. Raises
        DataError where loss or gradient is no finite number any more.
        """
        sums, since = np.zeros(2), 0
        end = min(self._settings.until or self._settings.steps, self._settings.steps)
        while self._step < end:
            sums += self._descend()
            self._step, since = self._step + 1, since + 1
            last = self._step == end
            if self._step % every == 0 or last:
                loss, marks = sums / since
                told = self.held_out_loss()
                on_progress(Progress(self._step, self._settings.steps, loss, marks, told))
                sums, since = np.zeros(2), 0
            stopped = stop_wanted() and not last
            if self._step % keep_every == 0 or last or stopped:
                keep()
            if stopped:
                raise Interrupted(f"stopped on request after step {self._step} of {end}")

    def held_out_loss(self, views: int = 96) -> float:
        """Mean loss a question on lessons that are never learned from, NaN without any."""
        if self._held_out is None:
            return float("nan")
        shown = self._held_out.draw(views, np.random.default_rng(0), vary=False)
        model = self.asker.model.eval()
        with torch.no_grad(), self.averaged():
            parts = [float(self._said(shown[n : n + 24])[0]) for n in range(0, views, 24)]
        model.train()
        return float(np.mean(parts))

    @contextlib.contextmanager
    def averaged(self) -> Iterator[None]:
        """Inside, the model has the averaged weights."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def merged(self) -> Model:
        """The model as it is to be kept: what LoRA learned is merged in, and training is over."""
        return self._adapted.merge_and_unload() if self._adapted else self.asker.model

    def _descend(self) -> np.ndarray:
        settings = self._settings
        # A draw of its own for each step: a resumed run meets the same views.
        rng = np.random.default_rng((settings.seed, self._step))
        for group in self._optimizer.param_groups:
            group["lr"] = settings.learning_rate * _schedule(self._step / settings.steps)
        self.asker.model.train()
        loss, marks = self._loss(self._deck.draw(settings.views, rng, vary=settings.vary))
        self._optimizer.zero_grad()
        (loss + settings.auxiliary * marks).backward()
        steepness = nn.utils.clip_grad_norm_(self._named.values(), 1.0)
        if not bool(torch.isfinite(loss) & torch.isfinite(steepness)):
            raise DataError(
                f"a finite loss wanted, found {float(loss.detach()):g} with a gradient of "
                f"{float(steepness):g} at step {self._step + 1}: the training diverged; begin anew "
                "with a smaller learning rate"
            )
        self._optimizer.step()
        decay = min(settings.average, (1 + self._step) / (10 + self._step))
        with torch.no_grad():
            for name, parameter in self._named.items():
                self._average[name].lerp_(parameter, 1 - decay)
        return np.array([float(loss.detach()), float(marks.detach())])

    def _loss(self, shown: Sequence[Shown]) -> tuple[Tensor, Tensor]:
        """Mean over the questions, and of the landmarks where they are learned."""
        loss, views = self._said(shown)
        known = [n for n, each in enumerate(shown) if each.row >= 0]
        if self._head is None or not known or not views:
            return loss, torch.zeros(())
        marks = self._lessons.marks[[shown[n].row for n in known]]
        return loss, self._head.loss([views[n][1:] for n in known], marks)

    def _said(self, shown: Sequence[Shown]) -> tuple[Tensor, list[list[Tensor]]]:
        """Mean over the questions, and the features of each view, none for models that take none.

        The views may be of any lessons: their rows are not looked up.
        """
        pictures = [picture for each in shown for picture in each.pictures]
        if not self.asker.caches:
            return self._loss_of_pictures(shown), []
        with torch.set_grad_enabled(self._settings.full and torch.is_grad_enabled()):
            seen = iter(self.asker.see(pictures))
            views = [[next(seen) for _ in each.pictures] for each in shown]
        prompts, features, wanted = [], [], []
        for each, view in zip(shown, views, strict=True):
            for text, kind, answer in each.asked:
                prompts.append(self.asker.words(text, each.pictures))
                features.append(view)
                wanted.append(self._target(kind, answer))
        return _cross_entropy(self.asker.logits(prompts, features), wanted), views

    def _loss_of_pictures(self, shown: Sequence[Shown]) -> Tensor:
        """The same for models that take no features: one question after the other."""
        losses = [
            _cross_entropy(
                self.asker.logits_of(text, [each.pictures]), [self._target(kind, answer)]
            )
            for each in shown
            for text, kind, answer in each.asked
        ]
        return torch.stack(losses).mean()

    def _target(self, kind: str, answer: float) -> tuple[Tensor, Tensor]:
        """Tokens of the right answer and the share of each; progress lies between two bins."""
        if kind != "progress":
            tokens = self.asker.yes if answer > 0.5 else self.asker.no
            return tokens[:1], torch.ones(1)
        place = float(np.clip(answer, 0.0, 1.0)) * (len(self.asker.bins) - 1)
        lower = min(int(place), len(self.asker.bins) - 2)
        tokens = torch.cat([self.asker.bins[lower][:1], self.asker.bins[lower + 1][:1]])
        return tokens, torch.tensor([1.0 - (place - lower), place - lower])

    def _head_for(self, lessons: Lessons) -> LandmarkHead | None:
        if not lessons.marks.size or not self.asker.caches:
            return None
        shown = self._deck.draw(1, np.random.default_rng(0), vary=False)[0]
        with torch.no_grad():
            seen = self.asker.see(shown.pictures[1:])
        tokens = sum(part.flatten(0, -2).shape[0] for part in seen)
        return LandmarkHead(lessons.marks, tokens, seen[0].shape[-1])

    @torch.no_grad()
    def _swap(self) -> None:
        """Exchange the weights that learn with their average."""
        for name, parameter in self._named.items():
            own = parameter.detach().clone()
            parameter.copy_(self._average[name])
            self._average[name] = own

    def _told(self) -> dict[str, str]:
        """What must agree for a training to be resumed."""
        settings, asked = self._settings, self._lessons.exercises
        return {
            "steps": str(settings.steps), "seed": str(settings.seed), "full": str(settings.full),
            "exercises": f"{len(asked)} ({zlib.crc32(repr(asked).encode()):08x})",
            "views": str(settings.views), "rank": str(0 if settings.full else settings.rank),
            "learning_rate": f"{settings.learning_rate:g}",
        }  # fmt: skip


def _with_lora(model: Model, settings: TrainSettings) -> Model:
    """Put adapters on every linear layer of the language model, and freeze all else."""
    from peft import LoraConfig, LoraModel

    decoder = model.get_decoder()
    inside = {id(module) for module in decoder.modules() if isinstance(module, nn.Linear)}
    targets = [name for name, module in model.named_modules() if id(module) in inside]
    config = LoraConfig(
        r=settings.rank, lora_alpha=settings.alpha, lora_dropout=0.0, target_modules=targets
    )
    return LoraModel(model, config, "default")


def _cross_entropy(logits: Tensor, wanted: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """Next-token cross-entropy over the whole vocabulary, mean over the questions."""
    told = torch.log_softmax(logits, -1)
    each = [-(told[n, tokens] * share).sum() for n, (tokens, share) in enumerate(wanted)]
    return torch.stack(each).mean()


def _schedule(done: float) -> float:
    """One cycle: up along a cosine in the first tenth, down to nothing in the rest."""
    if done < WARM_SHARE:
        return float(0.04 + 0.96 * (1 - np.cos(np.pi * done / WARM_SHARE)) / 2)
    return float((1 + np.cos(np.pi * (done - WARM_SHARE) / (1 - WARM_SHARE))) / 2)
