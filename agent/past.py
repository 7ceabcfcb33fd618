"""What a session remembers of its episodes: who acted, from where, and how it went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent import curriculum
from agent.episode import Gone, ScoredEpisode, Verdict


@dataclass(frozen=True, slots=True)
class Row:
    """One episode. success: None where nobody knows."""

    adapter: str
    arm: curriculum.Arm
    success: bool | None


class Past:
    """All episodes of a run, oldest first. An unknown verdict counts for nothing and nobody."""

    def __init__(self) -> None:
        self._rows: list[Row] = []

    def __len__(self) -> int:
        """Episodes, those with an unknown verdict included."""
        return len(self._rows)

    def take(self, scored: ScoredEpisode) -> None:
        """Remember a sealed episode."""
        task = scored.episode.task
        self._add(scored.episode.adapter, (task.name, task.start), scored.signal.verdict)

    def recall(self, gone: Gone) -> None:
        """Remember a sealed episode that was let go of since."""
        self._add(gone.adapter, (gone.task, gone.start), gone.verdict)

    def record(self) -> Mapping[curriculum.Arm, tuple[int, int]]:
        """Successes and tries by (task, start), under any adapter."""
        tally: dict[curriculum.Arm, tuple[int, int]] = {}
        for row in self._rows:
            if row.success is not None:
                won, tried = tally.get(row.arm, (0, 0))
                tally[row.arm] = (won + row.success, tried + 1)
        return tally

    def tally(self, adapter: str) -> tuple[int, int]:
        """Successes and tries of one adapter."""
        known = [row.success for row in self._rows if row.adapter == adapter]
        counted = [success for success in known if success is not None]
        return sum(counted), len(counted)

    def acted(self, adapter: str) -> int:
        """Episodes of one adapter, those with an unknown verdict included."""
        return sum(row.adapter == adapter for row in self._rows)

    def _add(self, adapter: str, arm: curriculum.Arm, verdict: Verdict) -> None:
        success = None if verdict is Verdict.UNKNOWN else verdict is Verdict.SUCCESS
        self._rows.append(Row(adapter, arm, success))
