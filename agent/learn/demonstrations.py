"""Demonstrations as arrays to clone from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.episode import Action, Episode, Float32Array, Observation, Uint8Array
from agent.errors import DataError


@dataclass(frozen=True, slots=True)
class Frames:
    """Every control step of many episodes, one after the other (n in all).

    images: of each episode (steps, cameras, h, w, 3) uint8. proprio: (n, p). actions: (n, 7),
    what was asked for, gripper last. privileged: (n, m). instruction: (n,) index into
    `instructions`. episode: (n,) which one. start, end: (n,) index of its first and last step.
    """

    images: tuple[Uint8Array, ...]
    proprio: Float32Array
    actions: Float32Array
    privileged: Float32Array
    instruction: NDArray[np.int64]
    episode: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    instructions: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.proprio)

    def looks(self, index: NDArray[np.int64]) -> Uint8Array:
        """Images (b, cameras, h, w, 3) of some steps."""
        return np.stack([self.images[self.episode[row]][row - self.start[row]] for row in index])


def as_row(action: Action) -> Float32Array:
    """An action as (7,) float32, gripper opening last."""
    return np.append(action.delta, np.float32(action.gripper)).astype(np.float32)


def gather(episodes: Iterable[Episode], cameras: tuple[str, ...]) -> Frames:
    """Line up the steps of episodes that decide one action at a time.

    Raises DataError for no episodes, a missing camera or a decision of several actions.
    """
    images: list[Uint8Array] = []
    felt: list[Float32Array] = []
    rows: list[Float32Array] = []
    privileged: list[Float32Array] = []
    instruction: list[int] = []
    owner: list[int] = []
    start: list[int] = []
    end: list[int] = []
    known: dict[str, int] = {}
    for episode in episodes:
        views = [step.observation for step in episode.steps]
        images.append(_look(episode, views, cameras))
        first, count = len(felt), len(views)
        felt += [view.proprio for view in views]
        privileged += [view.privileged for view in views]
        rows += [as_row(step.decision.actions[0]) for step in episode.steps]
        instruction += [known.setdefault(view.instruction, len(known)) for view in views]
        owner += [len(images) - 1] * count
        start += [first] * count
        end += [first + count - 1] * count
    if not felt:
        raise DataError("no demonstrations found; record some with `vlarl-agent demos`")
    return Frames(
        images=tuple(images),
        proprio=np.stack(felt),
        actions=np.stack(rows),
        privileged=np.stack(privileged),
        instruction=np.array(instruction),
        episode=np.array(owner),
        start=np.array(start),
        end=np.array(end),
        instructions=tuple(known),
    )


def _look(episode: Episode, views: list[Observation], cameras: tuple[str, ...]) -> Uint8Array:
    lacking = set(cameras) - set(episode.last.images)
    if lacking:
        raise DataError(f"episode {episode.id} lacks cameras {sorted(lacking)}; record it again")
    if any(len(step.decision.actions) != 1 for step in episode.steps):
        raise DataError(
            f"episode {episode.id} decides several actions at once; demonstrations of one action "
            "a decision are wanted"
        )
    shape = (len(views), len(cameras), *episode.last.images[cameras[0]].shape)
    found = [np.stack([view.images[name] for name in cameras]) for view in views]
    return np.stack(found) if found else np.empty(shape, np.uint8)


def chunks(
    frames: Frames, index: NDArray[np.int64], length: int
) -> tuple[Float32Array, NDArray[np.bool_]]:
    """The next `length` actions from each frame, (b, length, 7), and which of them happened.

    Past the end the last action is repeated and masked False.
    """
    ahead = index[:, None] + np.arange(length)
    real = ahead <= frames.end[index][:, None]
    return frames.actions[np.minimum(ahead, frames.end[index][:, None])], real
