"""Lessons for a judge: labelled views gathered out of recorded runs."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from agent.episode import Episode, Float32Array, Observation, Uint8Array
from agent.errors import DataError, UsageError
from agent.reward.label_file import fingerprint, read_head, read_labels
from agent.reward.labels import Label
from agent.reward.lessons import Exercise, Lessons
from agent.store.reader import ZarrReader


@dataclass(slots=True)
class _Gathered:
    """Lessons in the making."""

    images: list[dict[str, Uint8Array]] = field(default_factory=list)
    marks: list[Float32Array] = field(default_factory=list)
    exercises: list[Exercise] = field(default_factory=list)

    def add(self, episode: Episode, labels: Sequence[Label], cameras: Sequence[str]) -> None:
        views = [*(step.observation for step in episode.steps), episode.last]
        rows: dict[int, int] = {}
        for each in labels:
            for view in (each.view, each.since):
                if view not in rows:
                    rows[view] = len(self.images)
                    self.images.append(_looked(episode, views[view], cameras))
                    felt = (views[view].privileged, views[view].proprio)
                    self.marks.append(np.concatenate(felt).astype(np.float32))
            row, since = rows[each.view], rows[each.since]
            self.exercises.append(
                Exercise(row, since, each.question, each.instruction, each.answer)
            )

    def lessons(self) -> Lessons:
        names = self.images[0] if self.images else {}
        pictures = {name: np.stack([each[name] for each in self.images]) for name in names}
        alike = len({each.shape for each in self.marks}) == 1
        marks = np.stack(self.marks) if alike else np.zeros((0, 0), np.float32)
        return Lessons(pictures, tuple(self.exercises), marks)


def lessons_of(
    folders: Sequence[Path],
    held_out: float = 0.1,
    cameras: Sequence[str] = (),
    on_episode: Callable[[int], None] = lambda _: None,
) -> tuple[Lessons, Lessons | None]:
    """Gather labelled views; those of some start states apart, None where there are none.

    held_out: share of start states that are not learned from. cameras: () for all.
    Raises UsageError where every start state is held out, DataError where an episode is no longer
    what was labelled.
    """
    learned, apart = _Gathered(), _Gathered()
    for number, (episode, labels) in enumerate(_labelled(folders)):
        start = f"{episode.task.name}/{episode.task.start}".encode()
        kept = zlib.crc32(start) % 1000 < 1000 * held_out
        (apart if kept else learned).add(episode, labels, cameras)
        on_episode(number + 1)
    if apart.exercises and not learned.exercises:
        raise UsageError(
            f"labels to learn from wanted, but a held-out share of {held_out:g} keeps all of their "
            "start states apart; give a smaller one (--held-out 0), or label more runs"
        )
    return learned.lessons(), apart.lessons() if apart.exercises else None


def _labelled(folders: Sequence[Path]) -> Iterator[tuple[Episode, list[Label]]]:
    """Each labelled episode with its labels, one after the other."""
    for folder in folders:
        head = read_head(folder)
        wanted = {(each.run, each.episode): each for each in head.episodes}
        grouped: dict[tuple[str, str], list[Label]] = defaultdict(list)
        for label in read_labels(folder):
            grouped[label.run, label.episode].append(label)
        for (run, number), labels in grouped.items():
            if run not in head.runs or (run, number) not in wanted:
                raise DataError(f"{folder}: a label of {run} {number}, which it does not list")
            episode = ZarrReader(folder / head.runs[run]).read(number).episode
            if fingerprint(episode) != wanted[run, number].fingerprint:
                raise DataError(
                    f"{folder}: episode {number} of {run} is another one now; label the run anew"
                )
            yield episode, labels


def _looked(episode: Episode, view: Observation, cameras: Sequence[str]) -> dict[str, Uint8Array]:
    names = sorted(cameras or view.images)
    lacking = [name for name in names if name not in view.images]
    if lacking or not names:
        raise DataError(
            f"episode {episode.id}: pictures of {', '.join(names) or 'a camera'} wanted, "
            f"found {', '.join(view.images) or 'none'}"
        )
    return {name: view.images[name] for name in names}
