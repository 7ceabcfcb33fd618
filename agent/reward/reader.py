"""The seam between a judge and whatever looks at pictures for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from agent.episode import Float32Array, Uint8Array


@dataclass(frozen=True, slots=True)
class Frames:
    """Chosen views of one episode, in their order; the first one is the episode's first view.

    images: camera name to (n, h, w, 3) uint8 RGB. instruction: already cleaned.
    """

    images: Mapping[str, Uint8Array]
    instruction: str

    def __len__(self) -> int:
        """Views, n."""
        return len(next(iter(self.images.values()))) if self.images else 0


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a reader says of each view, each (n,) float32 in [0, 1].

    success: P(yes) / (P(yes) + P(no)) that the task is done. uncertainty: how far it doubts itself.
    """

    success: Float32Array
    progress: Float32Array
    uncertainty: Float32Array


class Reader(Protocol):
    """Looks at views and says how far the task is."""

    @property
    def id(self) -> str:
        """Which model answers: kind/name@hash, the hash 12 digits of the weights' sha256."""
        ...

    def read(self, frames: Frames) -> Opinion:
        """Say it of every view. Raises RewardUnavailable when it cannot."""
        ...
