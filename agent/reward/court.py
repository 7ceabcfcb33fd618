"""The court: whether a judge is still what it was when it was held to the truth.

After each episode it hears three kinds of evidence, none of which reads the world's own verdict:

- probes (agent/reward/probes.py) of every k-th episode that was called a success;
- a witness (agent/reward/witness.py): what the arm felt in true successes of the task;
- drift: the last scores against the mixture of scores that true successes and failures had.

Each kind of oddness has a rate that is usual for this judge, measured when it was calibrated, and
a test that counts (agent/reward/evidence.py). With s tests the chance of any false alarm within N
episodes is `court.false_alarms` at most, since each test is given the s-th part of it:

    probes, witness:  alarm when R >= s / false_alarms, R the stake of evidence.Bet over N outcomes
    drift:            alarm when distance > farthest(window, m1, m0, false_alarms / (s * looks)),
                      looks = 2 N / window, twice a window; N is `court.within_episodes`

A test whose oddness is usual more often than evidence.BLIND is left out, and the log says so.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.episode import Alarm, RewardSignal, ScoredEpisode, Verdict
from agent.errors import DataError
from agent.protocols import RewardModel
from agent.reward import probes, witness
from agent.reward.calibration import Calibration
from agent.reward.evidence import BLIND, Bet, distance, farthest, usual_rate
from agent.reward.segments import Layout
from agent.reward.silence import UNLABELLED

if TYPE_CHECKING:
    from agent.settings import CourtSettings

log = logging.getLogger(__name__)

NAME = "court"
WITNESS, DRIFT = "witness", "drift"
# What is usual of a judge that nobody measured: it may fail one probe in ten.
UNMEASURED = 0.1
DENIED = 0.1  # near misses that a judge lets pass are denied too, and come in clusters
LEAST_SCORES = 20  # successes and failures that a comparison of scores wants


class Court:
    """Watches one judge in one run.

    judge: asked the probes; never a person. layout: None where the arm tells neither tool nor
    fingers, then there is no witness. others: instructions of other tasks.
    lifted: id of the episode after which a person last let learning go on, "" for never.
    """

    def __init__(  # noqa: PLR0913  who is heard, what is known, and how much is enough
        self,
        judge: RewardModel,
        run: Path,
        calibration: Calibration | None,
        settings: CourtSettings,
        *,
        layout: Layout | None = None,
        others: Sequence[str] = (),
        lifted: Callable[[], str] = lambda: "",
    ) -> None:
        self._judge, self._run, self._calibration = judge, run, calibration
        self._settings, self._layout, self._others = settings, layout, tuple(others)
        self._lifted = lifted
        self._since = ""
        self._known: dict[str, tuple[probes.Answer, ...]] | None = None
        self._episodes, self._unprobed = 0, 0
        self._begin()

    def recall(self, scored: ScoredEpisode) -> None:
        """Count an episode of before, with the answers to its probes that are on disk."""
        if self._known is None:
            self._known = probes.kept(self._run)
        self._renew()
        if scored.episode.id > self._since:
            self.hear(scored, self._known.get(scored.episode.id, ()))

    def note(self, scored: ScoredEpisode) -> Alarm | None:
        """Put the probes if it is their turn, keep the answers, and weigh everything."""
        self._renew()
        answers: tuple[probes.Answer, ...] = ()
        if self.due(scored.signal):
            answers = probes.ask(self._judge, scored.episode, scored.signal, self._others)
            probes.keep(self._run, answers)
        return self.hear(scored, answers)

    def due(self, signal: RewardSignal) -> bool:
        """Whether this episode's probes are to be put to the judge."""
        late = self._unprobed + 1 >= self._settings.every_episodes
        return late and signal.verdict is Verdict.SUCCESS

    def hear(self, scored: ScoredEpisode, answers: Sequence[probes.Answer]) -> Alarm | None:
        """Weigh one more episode, and the answers to its probes, () where none were put."""
        self._episodes += 1
        self._unprobed = 0 if answers else self._unprobed + 1
        for answer in answers:
            if answer.passed is not None and answer.name in self._bets:
                self._bets[answer.name].take(odd=not answer.passed)
                self._why[answer.name] = f"wanted {answer.wanted}, found {answer.found}"
        if scored.signal.verdict is Verdict.SUCCESS and WITNESS in self._bets:
            self._question(scored)
        if not scored.signal.source.startswith(UNLABELLED):
            self._scores.append(float(scored.signal.success_probability))
        alarm = self._counted() or self._drifted()
        if alarm is not None:
            self._begin()
        return alarm

    def _begin(self) -> None:
        """Forget what was heard: at first, after an alarm, and after a person lifted one."""
        settings, norm = self._settings, self._calibration.norm if self._calibration else None
        names = (*sorted(probes_of(self._others)), WITNESS, DRIFT)
        self._alpha = settings.false_alarms / len(names)
        probed = max(1, settings.within_episodes // settings.every_episodes)
        self._bets: dict[str, Bet] = {}
        for name in names[:-2]:
            counted = norm.probes.get(name) if norm else None
            self._bet(name, usual_rate(*counted) if counted else UNMEASURED, probed)
        if norm and norm.witness and self._layout:
            rate = max(DENIED, usual_rate(*norm.disagreed))
            self._bet(WITNESS, rate, settings.within_episodes)
        self._scores: deque[float] = deque(maxlen=settings.window)
        self._looks = max(1, 2 * settings.within_episodes // settings.window)
        self._unprobed = settings.every_episodes - 1  # the first success is probed
        self._why: dict[str, str] = {}

    def _bet(self, name: str, rate: float, within: int) -> None:
        if rate <= BLIND:
            self._bets[name] = Bet(rate, within, self._alpha)
        elif not self._episodes:
            log.warning("%s tells nothing of this judge: usual in %.0f %%", name, 100 * rate)

    def _renew(self) -> None:
        since = self._lifted()
        if since > self._since:
            self._since = since
            self._begin()

    def _question(self, scored: ScoredEpisode) -> None:
        norm = self._calibration.norm if self._calibration else None
        if norm is None or norm.witness is None or self._layout is None:
            return
        try:
            felt = witness.signs(scored.episode, self._layout)
            objection = witness.objection(scored.episode.task.name, felt, norm.witness)
        except DataError as error:
            log.debug("no witness of episode %s: %s", scored.episode.id, error)
            return
        self._bets[WITNESS].take(odd=bool(objection))
        if objection:
            self._why[WITNESS] = objection

    def _counted(self) -> Alarm | None:
        for name, bet in self._bets.items():
            if bet.over:
                what = "successes denied by the arm" if name == WITNESS else f"{name} probes failed"
                why = (
                    f"{what}: {bet.odd} of {bet.seen}, {100 * bet.rate:.0f} % are usual at most; "
                    f"last: {self._why.get(name, '')}"
                )
                return Alarm(NAME, why, {"odd": bet.odd, "seen": bet.seen, "usual": bet.rate})
        return None

    def _drifted(self) -> Alarm | None:
        """Look at the scores twice a window, once it is full."""
        settings, calibration = self._settings, self._calibration
        full = len(self._scores) == settings.window
        if calibration is None or not full or self._episodes % (settings.window // 2):
            return None
        good, bad = calibration.norm.successes, calibration.norm.failures
        if min(len(good), len(bad)) < LEAST_SCORES:
            return None
        found = distance(self._scores, calibration.probability(good), calibration.probability(bad))
        limit = farthest(settings.window, len(good), len(bad), self._alpha / self._looks)
        if found <= limit:
            return None
        why = (
            f"the last {settings.window} scores are like no mixture of those it was calibrated "
            f"with: distance {found:.2f}, at most {limit:.2f} by chance"
        )
        return Alarm(NAME, why, {"distance": found, "limit": limit})


def probes_of(others: Sequence[str]) -> tuple[str, ...]:
    """Names of the probes that can be made."""
    always = ("reversed", "frozen", "black", "prefix")
    return (*always, "wrong-instruction") if others else always
