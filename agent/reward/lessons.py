"""Labelled views as lessons for a judge: which are drawn, and how their light is varied."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from agent.episode import Float32Array, Uint8Array
from agent.errors import DataError
from agent.reward.question import MILESTONE, PROGRESS, SUCCESS, asked

TEMPLATES = {"success": SUCCESS, "milestone": MILESTONE, "progress": PROGRESS}
_BLANK = 0.02  # share of views shown black or as noise, where nothing can be done yet


@dataclass(frozen=True, slots=True)
class Exercise:
    """A question about a view, held against an earlier one, and its answer in 0 .. 1.

    view, since: rows of `Lessons.images`. kind: success, milestone or progress.
    """

    view: int
    since: int
    kind: str
    instruction: str
    answer: float


@dataclass(frozen=True, slots=True)
class Lessons:
    """Views and what is asked about them.

    images: camera to (n, h, w, 3) uint8. marks: (n, m) of what only a simulator knows of each
    view, (0, 0) elsewhere; it serves as a further thing to learn to see and is never shown.
    """

    images: Mapping[str, Uint8Array]
    exercises: tuple[Exercise, ...]
    marks: Float32Array = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    def __post_init__(self) -> None:
        """Refuse lessons in which nothing is asked. Raises DataError."""
        if not self.exercises or not self.images:
            raise DataError(
                "labelled views wanted, found none; make some with: vlarl-agent reward label"
            )


@dataclass(frozen=True, slots=True)
class Shown:
    """One view as it is shown: the earlier view of the first camera, then this one of each.

    asked: (text, kind, answer) of each question. row: of the view in its lessons; -1 for a blank.
    """

    pictures: tuple[Uint8Array, ...]
    asked: tuple[tuple[str, str, float], ...]
    row: int


def pictures_of(images: Mapping[str, Uint8Array], view: int, since: int) -> tuple[Uint8Array, ...]:
    """What a judge is shown of one view: the earlier view of the first camera, this one of all."""
    cameras = sorted(images)
    return images[cameras[0]][since], *(images[name][view] for name in cameras)


class Deck:
    """Draws views so that done and not done, and rare and frequent tasks, are met alike."""

    def __init__(self, lessons: Lessons, questions: int = 3) -> None:
        self._lessons, self._questions = lessons, questions
        grouped: dict[tuple[int, int], list[Exercise]] = defaultdict(list)
        for each in lessons.exercises:
            grouped[each.view, each.since].append(each)
        self._groups = list(grouped.items())
        kinds = [_kind(each) for _, each in self._groups]
        often = Counter(kinds)
        tasks = Counter(name for name, _ in often)
        weights = [often[kind] ** -0.5 / tasks[kind[0]] for kind in kinds]
        shares = {name: sum(w for w, k in zip(weights, kinds, strict=True) if k[0] == name)
                  for name in tasks}  # fmt: skip
        self._weights = np.array(
            [w / shares[k[0]] for w, k in zip(weights, kinds, strict=True)], np.float64
        )
        self._weights /= self._weights.sum()

    def draw(self, count: int, rng: np.random.Generator, *, vary: bool) -> list[Shown]:
        """Some views, each with a few of its questions; `vary` changes light and colours."""
        chosen = rng.choice(len(self._groups), count, p=self._weights)
        return [self._show(int(number), rng, vary=vary) for number in chosen]

    def _show(self, number: int, rng: np.random.Generator, *, vary: bool) -> Shown:
        (view, since), exercises = self._groups[number]
        few = min(self._questions, len(exercises))
        picked = [exercises[n] for n in rng.choice(len(exercises), few, replace=False)]
        pictures = pictures_of(self._lessons.images, view, since)
        if vary and rng.random() < _BLANK:
            told = tuple((_text(each), each.kind, 0.0) for each in picked)
            return Shown((pictures[0], *_blank(pictures[1:], rng)), told, -1)
        told = tuple((_text(each), each.kind, each.answer) for each in picked)
        return Shown(varied(pictures, rng) if vary else pictures, told, view)


def varied(pictures: Sequence[Uint8Array], rng: np.random.Generator) -> tuple[Uint8Array, ...]:
    """The same pictures under another light: brightness, contrast, colour and noise."""
    light = rng.uniform(0.75, 1.25) * rng.uniform(0.92, 1.08, 3)
    contrast, sigma = rng.uniform(0.85, 1.15), rng.uniform(0.0, 6.0) * (rng.random() < 0.5)

    def vary(picture: Uint8Array) -> Uint8Array:
        values = picture.astype(np.float32)
        middle = values.mean()
        values = ((values - middle) * contrast + middle) * light.astype(np.float32)
        if sigma:
            values += rng.standard_normal(values.shape, np.float32) * np.float32(sigma)
        seen: Uint8Array = np.clip(values, 0, 255).astype(np.uint8)
        return seen

    return tuple(vary(each) for each in pictures)


def _blank(pictures: Sequence[Uint8Array], rng: np.random.Generator) -> tuple[Uint8Array, ...]:
    if rng.random() < 0.5:
        return tuple(np.full_like(each, rng.integers(256)) for each in pictures)
    return tuple(rng.integers(0, 256, each.shape).astype(np.uint8) for each in pictures)


def _kind(exercises: Sequence[Exercise]) -> tuple[str, str]:
    """What a view is good for: a success, one that is none yet, or the rest; and its task."""
    first = exercises[0]
    success = [each.answer for each in exercises if each.kind == "success"]
    name = "rest" if not success else "done" if max(success) > 0.5 else "not done"
    return name, first.instruction


def _text(exercise: Exercise) -> str:
    return asked(TEMPLATES[exercise.kind], exercise.instruction)
