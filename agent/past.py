"""What a session remembers of its episodes: who acted, from where, and how it went."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from agent import curriculum
from agent.episode import Gone, ScoredEpisode, Verdict

LAST = 64  # episodes that can be left out of a record again


@dataclass(frozen=True, slots=True)
class Row:
    """One episode. success: None where nobody knows."""

    adapter: str
    arm: curriculum.Arm
    success: bool | None


class Past:
    """All episodes of a run, added up. An unknown verdict counts for nothing and nobody."""

    def __init__(self) -> None:
        self._last: deque[Row] = deque(maxlen=LAST)
        self._count = 0
        self._arms: dict[curriculum.Arm, tuple[int, int]] = {}
        self._adapters: dict[str, tuple[int, int]] = {}
        self._acted: dict[str, int] = {}

    def __len__(self) -> int:
        """Episodes, those with an unknown verdict included."""
        return self._count

    def take(self, scored: ScoredEpisode) -> None:
        """Remember a sealed episode."""
        task = scored.episode.task
        self._add(scored.episode.adapter, (task.name, task.start), scored.signal.verdict)

    def recall(self, gone: Gone) -> None:
        """Remember a sealed episode that was let go of since."""
        self._add(gone.adapter, (gone.task, gone.start), gone.verdict)

    def record(self, but_last: int = 0) -> Mapping[curriculum.Arm, tuple[int, int]]:
        """Successes and tries by (task, start), under any adapter.

        but_last: how many of the last episodes to leave out, LAST at most.
        """
        tally = dict(self._arms)
        for row in list(self._last)[len(self._last) - but_last :]:
            if row.success is not None:
                won, tried = tally[row.arm]
                tally[row.arm] = (won - row.success, tried - 1)
        return tally

    def tally(self, adapter: str) -> tuple[int, int]:
        """Successes and tries of one adapter."""
        return self._adapters.get(adapter, (0, 0))

    def acted(self, adapter: str) -> int:
        """Episodes of one adapter, those with an unknown verdict included."""
        return self._acted.get(adapter, 0)

    def _add(self, adapter: str, arm: curriculum.Arm, verdict: Verdict) -> None:
        success = None if verdict is Verdict.UNKNOWN else verdict is Verdict.SUCCESS
        self._last.append(Row(adapter, arm, success))
        self._count += 1
        self._acted[adapter] = self.acted(adapter) + 1
        if success is None:
            return
        won, tried = self._arms.get(arm, (0, 0))
        self._arms[arm] = (won + success, tried + 1)
        won, tried = self.tally(adapter)
        self._adapters[adapter] = (won + success, tried + 1)
