"""Where things lie in a run folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

LOG = "steps.log"
RING = "frames.ring"
# What follows the id of a folder in staging that is no recording: a salvage under way, the new
# form of an episode, one on its way out, one on its way in. All of them may be removed at a start.
SALVAGE, COMPACT, PRUNED, IMPORT = ".salvage", ".compact", ".pruned", ".import"
LEFTOVERS = (SALVAGE, COMPACT, PRUNED, IMPORT)


@dataclass(frozen=True, slots=True)
class Folders:
    """The episode side of one run folder.

    staging: being written. episodes: sealed. interrupted: what was saved of broken-off ones.
    quarantine: committed once and damaged since, each with its reason.
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
        """Damaged episodes, and beside each the reason."""
        return self.run / "quarantine"

    @property
    def pruned(self) -> Path:
        """One line an episode that was removed on purpose."""
        return self.run / "pruned.jsonl"

    @property
    def manifest(self) -> Path:
        """One line a sealed episode, derived from `episodes`."""
        return self.run / "manifest.jsonl"

    def leftovers(self) -> tuple[Path, ...]:
        """What work that was cut short left in staging and nobody needs."""
        return tuple(
            sorted(each for suffix in LEFTOVERS for each in self.staging.glob(f"*{suffix}"))
        )

    @property
    def lock(self) -> Path:
        """Names the one writer."""
        return self.run / "writer.lock"
