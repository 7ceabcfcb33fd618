"""The seams of how a policy sees: what corrects its views, and that it may be asked for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from agent.episode import Episode


@dataclass(frozen=True, slots=True)
class Aligned:
    """What an aligner found. made: whether there is a folder. metrics: named in docs/metrics.md."""

    made: bool
    why: str
    metrics: dict[str, float]


class Aligner(Protocol):
    """Compares how a deployment looks with how the training world did."""

    def align(self, episodes: Sequence[Episode], out: Path) -> Aligned:
        """Write an adapter folder that sees the one as the other to `out`, if they surely differ.

        Looks at views alone: no reward, no verdict, nothing privileged. Raises DataError for
        episodes that cannot be compared; `out` is then absent.
        """
        ...


@runtime_checkable
class Sighted(Protocol):
    """What a policy has besides where it may see its views corrected."""

    @property
    def sight(self) -> str:
        """Through which correction it sees now; "" for none."""
        ...
