"""Demonstrations as arrays to clone from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.episode import Action, Episode, Float32Array, Uint8Array
from agent.errors import DataError


@dataclass(frozen=True, slots=True)
class Frames:
    """Every control step of many episodes, one after the other (n in all).

    images: (n, cameras, h, w, 3) uint8. proprio: (n, p). actions: (n, 7), what was asked for,
    gripper last. privileged: (n, m). instruction: (n,) index into `instructions`.
    end: (n,) index of the last step of the same episode. start: (n,) of its first.
    """

    images: Uint8Array
    proprio: Float32Array
    actions: Float32Array
    privileged: Float32Array
    instruction: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    instructions: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.proprio)


def as_row(action: Action) -> Float32Array:
    """An action as (7,) float32, gripper opening last."""
    return np.append(action.delta, np.float32(action.gripper)).astype(np.float32)


def gather(episodes: Iterable[Episode], cameras: tuple[str, ...]) -> Frames:
    """Line up the steps of episodes that decide one action at a time.

    Raises DataError for no episodes, a missing camera or a decision of several actions.
    """
    views, rows, instruction, start, end = [], [], [], [], []
    known: dict[str, int] = {}
    for episode in episodes:
        first = len(views)
        for step in episode.steps:
            if len(step.decision.actions) != 1:
                raise DataError(
                    f"episode {episode.id} decides {len(step.decision.actions)} actions at once; "
                    "demonstrations of one action a decision are wanted"
                )
            views.append(step.observation)
            rows.append(as_row(step.decision.actions[0]))
            instruction.append(known.setdefault(step.observation.instruction, len(known)))
        start += [first] * (len(views) - first)
        end += [len(views) - 1] * (len(views) - first)
    if not views:
        raise DataError("no demonstrations found; record some with `vlarl-agent demos`")
    lacking = set(cameras) - set(views[0].images)
    if lacking:
        raise DataError(f"demonstrations lack cameras {sorted(lacking)}; record them again")
    return Frames(
        images=np.stack([np.stack([view.images[name] for name in cameras]) for view in views]),
        proprio=np.stack([view.proprio for view in views]),
        actions=np.stack(rows),
        privileged=np.stack([view.privileged for view in views]),
        instruction=np.array(instruction),
        start=np.array(start),
        end=np.array(end),
        instructions=tuple(known),
    )


def chunks(frames: Frames, index: NDArray[np.int64], length: int) -> tuple[Float32Array, NDArray[np.bool_]]:
    """The next `length` actions from each frame, (b, length, 7), and which of them happened.

    Past the end the last action is repeated and masked False.
    """
    ahead = index[:, None] + np.arange(length)
    real = ahead <= frames.end[index][:, None]
    return frames.actions[np.minimum(ahead, frames.end[index][:, None])], real
