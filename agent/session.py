"""Many episodes: choose, run, judge, keep, learn, gate; every state is derived from the disk.

Nothing random is carried from one episode to the next: episode i draws from (seed, i) and update
n from (seed, n), so a resumed run goes on exactly where the interrupted one was.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from agent import cell, clock, curriculum, rollout, suspension
from agent.aligning import Aligning
from agent.episode import Alarm, ScoredEpisode, Task, TaskCard, Truncated, UpdateReport, Verdict
from agent.errors import DataError, NoMove, RobotFault
from agent.evaluation import Trial, try_tasks
from agent.learn import gate, waiting
from agent.learn.ledger import Ledger
from agent.learn.temperature import next_temperature
from agent.past import Past
from agent.patience import Patience
from agent.protocols import (
    AdaptablePolicy,
    EpisodeStore,
    Eye,
    Learner,
    RewardModel,
    Robot,
    Supervised,
    Watch,
)
from agent.proving import Proving
from agent.seeing import Aligner
from agent.settings import Settings
from calibration.profile import Profile

log = logging.getLogger(__name__)

TEMPERATURE = "policy/temperature"  # of the next batch, in the report of each update


@dataclass(frozen=True, slots=True)
class Acted:
    """An episode was sealed."""

    number: int
    scored: ScoredEpisode


@dataclass(frozen=True, slots=True)
class Updated:
    """An update was committed, whatever its outcome."""

    report: UpdateReport


@dataclass(frozen=True, slots=True)
class Halted:
    """Learning is suspended since this episode; acting goes on."""

    number: int
    alarm: Alarm


Event = Acted | Updated | Halted


@dataclass(frozen=True, slots=True)
class Parts:
    """What a session joins together.

    cell: the profile of a real arm's surroundings. watches: what may suspend learning.
    eye: looks at each view while the robot acts. aligner: corrects how the policy sees.
    """

    robot: Robot
    policy: AdaptablePolicy
    judge: RewardModel
    store: EpisodeStore
    ledger: Ledger
    learner: Learner | None
    cell: Profile | None = None
    watches: tuple[Watch, ...] = ()
    eye: Eye | None = None
    aligner: Aligner | None = None


class Session:
    """The adaptation loop over one run folder. `learner` None acts and records only."""

    def __init__(
        self,
        settings: Settings,
        parts: Parts,
        cards: Sequence[TaskCard],
        on_event: Callable[[Event], None] = lambda _: None,
        stop_wanted: Callable[[], bool] = lambda: False,
    ) -> None:
        """Raises UsageError for settings that could never learn."""
        waiting.must_fit(settings)
        self._settings = settings
        self._parts = parts
        self._cards = cards
        self._on_event = on_event
        self._stop_wanted = stop_wanted
        self._past = Past()
        self._waiting: list[ScoredEpisode] = []
        self._patience = patience_of(settings, stop_wanted)
        self._proving = Proving(settings.gate, parts.policy, parts.ledger, self._gate_score)
        self._aligning = Aligning(settings.align, parts, self._proving)

    def open(self) -> None:
        """Take up the run where its folder says it is."""
        ledger = self._parts.ledger
        # First, for what is observed is seen as the acting adapter sees it.
        self._parts.policy.load(ledger.folder(ledger.current), ledger.current)
        gone = {each.id: each for each in self._parts.store.gone()}
        for episode_id in sorted([*gone, *self._parts.store.ids()], key=int):
            if episode_id in gone:
                self._past.recall(gone[episode_id])
                continue
            scored = self._parts.store.read(episode_id)
            self._take(scored)
            for watch in self._parts.watches:
                watch.recall(scored)
        self._parts.policy.load(ledger.folder(ledger.current), ledger.current)

    @property
    def episodes(self) -> int:
        """Episodes sealed so far, those that were pruned since included."""
        return len(self._past)

    def run(self, until_s: float) -> None:
        """Act and learn until the episodes or the time (monotonic seconds) are used up."""
        while not self._stop_wanted():
            learner = None if self._aligning.pending else self._parts.learner
            if self._aligning.due(self.episodes):
                self._parts.robot.rest()
                self._commit(*self._aligning.align())
            elif learner is not None and waiting.due(self._settings, self.episodes, self._waiting):
                self._update(learner)
            elif self.episodes >= self._settings.run.episodes or clock.now_s() >= until_s:
                return
            else:
                self._act()

    def record(self) -> Mapping[curriculum.Arm, tuple[int, int]]:
        """Successes and tries by (task, start), under any adapter."""
        return self._past.record()

    @property
    def temperature(self) -> float:
        """The acting temperature: as told, or as the last update left it."""
        told = (r.metrics[TEMPERATURE] for r in reversed(self._parts.ledger.reports)
                if TEMPERATURE in r.metrics)  # fmt: skip
        return next(told, self._settings.policy.temperature)

    def _moved(self) -> float:
        """The temperature after the batch that is used up now."""
        won = sum(scored.signal.verdict is Verdict.SUCCESS for scored in self._waiting)
        start = self._settings.policy.temperature
        return next_temperature(self.temperature, start, won, len(self._waiting))

    def _act(self) -> None:
        parts, number = self._parts, self.episodes
        task, temperature = self._next_task(number), self.temperature
        parts.policy.seed(self._settings.run.seed * 1_000_003 + number)
        if isinstance(parts.robot, Supervised):
            parts.robot.acting(parts.ledger.current, self._past.acted(parts.ledger.current))
        recording = parts.store.begin(
            task, parts.ledger.current, temperature, extra=cell.marks(parts.cell)
        )
        try:
            episode = rollout.run_episode(
                parts.robot, parts.policy, recording, task, temperature, self._stop_wanted,
                eye=parts.eye,
            )  # fmt: skip
        except (RobotFault, NoMove) as fault:
            # It is kept as interrupted; the next try takes up the same task.
            self._patience.bear(fault)
            return
        self._patience.relieved()
        if episode.ending == Truncated("stopped"):
            recording.abandon("stopped on request")
            return
        signal = parts.judge.score(episode)
        recording.seal(signal)
        scored = ScoredEpisode(episode, signal)
        self._take(scored)
        self._on_event(Acted(number, scored))
        self._look(number, scored)

    def _next_task(self, number: int) -> Task:
        """The first of a group is drawn, and all of the group are the same one."""
        run = self._settings.run
        within = number % run.group
        known = self._past.record(but_last=within)
        return curriculum.next_task(self._cards, known, (run.seed, number - within), run.curriculum)

    def _look(self, number: int, scored: ScoredEpisode) -> None:
        """Let every watch look; the first alarm suspends learning, and what waited is doubted."""
        alarms = [a for watch in self._parts.watches if (a := watch.note(scored)) is not None]
        if not alarms or self._suspensions().standing:
            return
        doubted = [each.episode.id for each in self._waiting]
        suspension.suspend(self._parts.ledger.run, alarms[0], scored.episode.id, doubted)
        if self._parts.learner is not None:
            self._parts.learner.forget([*doubted, scored.episode.id])
        self._waiting = []
        log.warning("learning is suspended: %s: %s", alarms[0].watch, alarms[0].why)
        self._on_event(Halted(number, alarms[0]))

    def _suspensions(self) -> suspension.Suspensions:
        return suspension.read(self._parts.ledger.run)

    def _take(self, scored: ScoredEpisode) -> None:
        episode = scored.episode
        self._past.take(scored)
        if scored.signal.verdict is Verdict.UNKNOWN:
            return  # counted as a failure it would teach what nobody has seen
        if self._suspensions().doubts(episode.id):
            return  # neither the critic nor a replay is to know of it
        if self._parts.learner is not None:
            self._parts.learner.observe(scored)
        ledger = self._parts.ledger
        if episode.adapter == ledger.current and episode.id not in ledger.used:
            self._waiting.append(scored)

    def _update(self, learner: Learner) -> None:
        # Whatever the last episode came to, nothing moves while the policy changes.
        self._parts.robot.rest()
        ledger = self._parts.ledger
        number = len(ledger.reports) + 1
        used = tuple(scored.episode.id for scored in self._waiting)
        back = self._rollback(number, used)
        if back is not None:
            self._commit(back, None)
            return
        staged = ledger.staging(number)
        parent = ledger.current
        try:
            metrics = learner.update(self._waiting, number, staged)
            cell.keep(staged, self._parts.cell)
        except DataError as error:
            self._commit(
                UpdateReport(number, parent, parent, used, kept=False, why=str(error)), None
            )
            return
        kept, why = self._proving.judge(learner, staged, self._waiting, metrics)
        report = UpdateReport(number, f"{number:04d}", parent, used, kept, why, metrics)
        self._commit(report, staged)

    def _commit(self, report: UpdateReport, staged: Path | None) -> None:
        ledger = self._parts.ledger
        if self._settings.policy.adapt_temperature and report.episodes:
            report = replace(report, metrics={**report.metrics, TEMPERATURE: self._moved()})
        ledger.commit(report, staged)
        if report.kept or report.episodes:  # else it changed nothing, and what waits is sound
            self._waiting = []
        self._aligning.act_as(ledger.current)
        log.info("update %d: %s: %s", report.number, "kept" if report.kept else "no", report.why)
        self._on_event(Updated(report))

    def _rollback(self, number: int, used: tuple[str, ...]) -> UpdateReport | None:
        """Withdraw the acting adapter if its episodes went clearly worse than its parent's."""
        ledger = self._parts.ledger
        ours, theirs = ledger.current, ledger.parent
        if ours == theirs:
            return None
        past, bar = self._past, self._settings.gate
        bad, said = gate.worse(past.tally(ours), past.tally(theirs), bar)
        if not bad:
            return None
        why = f"rolled back from {ours} to {theirs}: {said}"
        return UpdateReport(number, theirs, self._grandparent(theirs), used, kept=True, why=why)

    def _grandparent(self, adapter: str) -> str:
        made = [r for r in self._parts.ledger.reports if r.kept and r.adapter == adapter]
        return made[0].parent if made else adapter

    def _gate_score(self) -> tuple[int, int]:
        tasks = curriculum.tasks_of(self._cards, "gate", self._settings.gate.trials)
        trials: tuple[Trial, ...] = try_tasks(
            self._parts.robot, self._parts.policy, tasks, patience=self._patience
        )
        return sum(trial.success for trial in trials), len(trials)


def patience_of(settings: Settings, stop_wanted: Callable[[], bool]) -> Patience:
    """How many faults in a row this run bears."""
    return Patience(settings.robot.retries, settings.robot.retry_s, stop_wanted)
