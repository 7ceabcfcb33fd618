"""When a run's pictures are aligned, by which episodes, and what follows from seeing otherwise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from agent import suspension
from agent.episode import UpdateReport, Verdict
from agent.errors import DataError
from agent.proving import Proving
from agent.seeing import Aligned, Sighted
from agent.settings import AlignSettings

if TYPE_CHECKING:
    from agent.session import Parts

DONE = "align/episodes"  # in the report of an alignment, whatever became of it


class Aligning:
    """A run's one alignment, before anything is learned; what is on disk says whether it was."""

    def __init__(self, settings: AlignSettings, parts: Parts, proving: Proving) -> None:
        self._settings, self._parts, self._proving = settings, parts, proving

    @property
    def pending(self) -> bool:
        """Whether it is wanted and has not been."""
        if self._parts.aligner is None or not self._settings.episodes:
            return False
        return not any(DONE in report.metrics for report in self._parts.ledger.reports)

    def due(self, episodes: int) -> bool:
        """Whether its episodes are there, of a run's so many."""
        wanted = self._settings.episodes
        return self.pending and episodes >= wanted and len(self._first()) == wanted

    def align(self) -> tuple[UpdateReport, Path | None]:
        """Try it; the report is yet to be committed, with the folder that belongs to it."""
        if self._parts.aligner is None:
            raise RuntimeError("an alignment was begun that nobody can make")
        ledger, store, names = self._parts.ledger, self._parts.store, self._first()
        number, parent = len(ledger.reports) + 1, ledger.current
        staged = ledger.staging(number)
        try:
            episodes = [store.read(each).episode for each in names]
            found = self._parts.aligner.align(episodes, staged)
        except DataError as error:
            found = Aligned(made=False, why=str(error), metrics={DONE: float(len(names))})
        if not found.made:
            # It uses up nothing: the episodes stay on-policy, and are learned from.
            why = f"not aligned: {found.why}"
            refused = UpdateReport(number, parent, parent, (), kept=False, why=why)
            return replace(refused, metrics=found.metrics), None
        kept, said = self._proving.tried(staged, found.metrics, "")
        why = f"aligned by {len(names)} episodes: {found.why}" + (f"; {said}" if said else "")
        used, made = names if kept else (), f"{number:04d}"
        return UpdateReport(number, made, parent, used, kept, why, found.metrics), staged

    def act_as(self, adapter: str) -> None:
        """Load an adapter; where it sees otherwise, all that was observed is observed anew."""
        parts, before = self._parts, self._sight
        parts.policy.load(parts.ledger.folder(adapter), adapter)
        if parts.learner is None or self._sight == before:
            return
        names, told = parts.store.ids(), suspension.read(parts.ledger.run)
        parts.learner.forget(names)
        for scored in map(parts.store.read, names):
            known = scored.signal.verdict is not Verdict.UNKNOWN
            if known and not told.doubts(scored.episode.id):
                parts.learner.observe(scored)

    @property
    def _sight(self) -> str:
        policy = self._parts.policy
        return policy.sight if isinstance(policy, Sighted) else ""

    def _first(self) -> tuple[str, ...]:
        """The first episodes that nobody doubts."""
        told = suspension.read(self._parts.ledger.run)
        sound = [each for each in self._parts.store.ids() if not told.doubts(each)]
        return tuple(sound[: self._settings.episodes])
