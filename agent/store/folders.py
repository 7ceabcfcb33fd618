"""Where things lie in a run folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

LOG = "steps.log"
RING = "frames.ring"


@dataclass(frozen=True, slots=True)
class Folders:
    """The episode side of one run folder.

    staging: being written. episodes: sealed. interrupted: what was saved of broken-off ones.
    quarantine: committed once and unreadable now.
    """

    run: Path

    @property
    def staging(self) -> Path:
        """Episodes being written."""
        return self.run / "staging"

    @property
    def episodes(self) -> Path:
        """Sealed episodes."""
        return self.run / "episodes"

    @property
    def interrupted(self) -> Path:
        """Broken-off episodes."""
        return self.run / "interrupted"

    @property
    def quarantine(self) -> Path:
        """Episodes whose record cannot be read."""
        return self.run / "quarantine"

    @property
    def manifest(self) -> Path:
        """One line a sealed episode, derived from `episodes`."""
        return self.run / "manifest.jsonl"

    @property
    def lock(self) -> Path:
        """Names the one writer."""
        return self.run / "writer.lock"
