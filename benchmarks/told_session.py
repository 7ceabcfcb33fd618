"""A session that tells which phase it is in and what it promised, line by line."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from agent import clock
from agent.cli.build import make_cards, make_parts
from agent.episode import (
    Decision,
    Ending,
    Episode,
    Gone,
    Observation,
    RewardSignal,
    ScoredEpisode,
    Step,
    Task,
    UpdateReport,
)
from agent.learn.ledger import Ledger
from agent.protocols import EpisodeStore, Learner, Recording
from agent.registry import make_robot
from agent.session import Acted, Event, Session, Updated
from agent.settings import Settings

Tell = Callable[[str], None]


def run_session(settings: Settings, run: Path, tell: Tell) -> None:
    """Open a run folder and act and learn to its end.

    Tells "phase NAME SECONDS" as a phase begins, "sealed ID" and "updated NUMBER" once that is so.
    """
    _phase(tell, "opening")
    robot = make_robot(settings.robot)
    parts = make_parts(settings, run, robot)
    if parts.learner is None:
        raise ValueError("a session that learns is wanted; set run.update")
    ledger = ToldLedger(run, tell)
    ledger.open()
    told = dataclasses.replace(
        parts,
        store=ToldStore(parts.store, tell),
        ledger=ledger,
        learner=ToldLearner(parts.learner, tell),
    )

    def note(event: Event) -> None:
        if isinstance(event, Acted):
            tell(f"sealed {event.scored.episode.id}")
        elif isinstance(event, Updated):
            tell(f"updated {event.report.number}")

    session = Session(settings, told, make_cards(settings, robot), note)
    session.open()
    session.run(float("inf"))
    parts.store.close()
    _phase(tell, "done")


class ToldLedger(Ledger):
    """A ledger that tells when it publishes."""

    def __init__(self, run: Path, tell: Tell) -> None:
        super().__init__(run)
        self._tell = tell

    def commit(self, report: UpdateReport, staged: Path | None) -> None:
        """Tell, then commit."""
        _phase(self._tell, "publishing")
        super().commit(report, staged)
        _phase(self._tell, "between")


@dataclasses.dataclass(frozen=True)
class ToldLearner:
    """A learner that tells when it updates."""

    inner: Learner
    tell: Tell

    def observe(self, scored: ScoredEpisode) -> None:
        """Pass on."""
        self.inner.observe(scored)

    def forget(self, ids: Sequence[str]) -> None:
        """Pass on."""
        self.inner.forget(ids)

    def update(self, batch: Sequence[ScoredEpisode], number: int, out: Path) -> dict[str, float]:
        """Tell, then update."""
        _phase(self.tell, "updating")
        return self.inner.update(batch, number, out)

    def gap(self, views: Sequence[Observation], decisions: Sequence[Decision]) -> float:
        """Pass on."""
        return self.inner.gap(views, decisions)


@dataclasses.dataclass(frozen=True)
class ToldStore:
    """A store that tells when an episode begins."""

    inner: EpisodeStore
    tell: Tell

    def begin(
        self,
        task: Task,
        adapter: str,
        temperature: float,
        *,
        extra: Mapping[str, str | int | float] | None = None,
    ) -> Recording:
        """Tell, then begin."""
        _phase(self.tell, "acting")
        began = self.inner.begin(task, adapter, temperature, extra=extra)
        return ToldRecording(began, self.tell)

    def ids(self) -> tuple[str, ...]:
        """Pass on."""
        return self.inner.ids()

    def gone(self) -> tuple[Gone, ...]:
        """Pass on."""
        return self.inner.gone()

    def read(self, episode_id: str) -> ScoredEpisode:
        """Pass on."""
        return self.inner.read(episode_id)

    def close(self) -> None:
        """Pass on."""
        self.inner.close()


@dataclasses.dataclass(frozen=True)
class ToldRecording:
    """A recording that tells when it is finished and sealed."""

    inner: Recording
    tell: Tell

    @property
    def id(self) -> str:
        """The episode's id."""
        return self.inner.id

    def append(self, step: Step) -> None:
        """Pass on."""
        self.inner.append(step)

    def finish(self, last: Observation, ending: Ending) -> Episode:
        """Tell, then finish."""
        _phase(self.tell, "sealing")
        return self.inner.finish(last, ending)

    def seal(self, signal: RewardSignal) -> None:
        """Seal, then tell."""
        self.inner.seal(signal)
        _phase(self.tell, "between")

    def abandon(self, why: str) -> None:
        """Pass on."""
        self.inner.abandon(why)


def _phase(tell: Tell, name: str) -> None:
    tell(f"phase {name} {clock.now_s():.4f}")
