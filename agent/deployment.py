"""One whole deployment: score the start adapter, adapt, score again, decide what stays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent import clock, spent
from agent.curriculum import tasks_of
from agent.episode import TaskCard, UpdateReport
from agent.errors import Interrupted
from agent.evaluation import Trial
from agent.interval import Paired, paired, wilson
from agent.learn import gate
from agent.learn.ledger import BASE
from agent.protocols import Supervised
from agent.scoring import Stage, Tried
from agent.session import Event, Parts, Session, patience_of
from agent.settings import Settings


@dataclass(frozen=True, slots=True)
class Score:
    """Successes k of n, with the 95 % Wilson interval [low, high]."""

    k: int
    n: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a deployment came to.

    paired_p: McNemar's exact test, before against after on the same held-out states.
    minutes: wall clock of all its processes together, the evaluations included; one that was
    killed outright is left out.
    """

    run: str
    robot: str
    task: str
    shift: dict[str, float]
    seed: int
    robots: int
    control: str
    episodes: int
    minutes: float
    before: Score
    after: Score
    paired_p: float
    updates: int
    updates_kept: int
    adapter: str
    kept: bool
    why: str


def deploy(
    settings: Settings,
    folder: Path,
    parts: Parts,
    cards: Sequence[TaskCard],
    on_event: Callable[[Event | Tried], None] = lambda _: None,
    stop_wanted: Callable[[], bool] = lambda: False,
) -> Outcome | None:
    """Run or resume a deployment in `folder`; None when it was asked to stop before its end."""
    if isinstance(parts.robot, Supervised):
        parts.robot.heed(stop_wanted)
    began_s = clock.now_s()
    try:
        return _deploy(settings, folder, parts, cards, on_event, stop_wanted)
    except Interrupted:
        # Somebody was being waited for; what was under way is kept as interrupted.
        if stop_wanted():
            return None
        raise
    finally:
        spent.note(folder, clock.now_s() - began_s)


def _deploy(
    settings: Settings,
    folder: Path,
    parts: Parts,
    cards: Sequence[TaskCard],
    on_event: Callable[[Event | Tried], None],
    stop_wanted: Callable[[], bool],
) -> Outcome | None:
    began_s = clock.now_s()
    session = Session(settings, parts, cards, on_event, stop_wanted)
    session.open()
    held_out = tasks_of(cards, "held_out", settings.run.held_out)
    stage = Stage(
        folder / "evaluations", parts, held_out, on_event, stop_wanted,
        patience_of(settings, stop_wanted),
    )  # fmt: skip

    parts.policy.load(None, BASE)
    before = stage.score("before", BASE)
    spent_s = clock.now_s() - began_s
    _act_with(parts, parts.ledger.current)
    if before is not None:
        # The last evaluation costs what the first one did.
        session.run(began_s + 60.0 * settings.run.minutes - spent_s)
    if before is None or stop_wanted():
        return None
    adapter = _learned(parts.ledger.reports)
    _act_with(parts, adapter)
    after = before if adapter == BASE else stage.score("after", adapter)
    if after is None:
        return None
    why = _decide(settings, parts, before, after)
    _act_with(parts, parts.ledger.current)
    reports = parts.ledger.reports
    return Outcome(
        run=str(folder),
        robot=settings.robot.name,
        task=",".join(card.name for card in cards),
        shift=dict(settings.robot.shift),
        seed=settings.run.seed,
        robots=1,
        control=settings.learn.control,
        episodes=session.episodes,
        minutes=round((spent.before_s(folder) + clock.now_s() - began_s) / 60.0, 2),
        before=score(before),
        after=score(after),
        paired_p=compare(before, after).p_value,
        updates=len(reports),
        updates_kept=sum(report.kept for report in reports),
        adapter=parts.ledger.current,
        kept=parts.ledger.current != BASE,
        why=why,
    )


def score(trials: Sequence[Trial]) -> Score:
    """Count successes, with their interval."""
    won = sum(trial.success for trial in trials)
    interval = wilson(won, len(trials))
    return Score(won, len(trials), round(interval.low, 4), round(interval.high, 4))


def compare(first: Sequence[Trial], second: Sequence[Trial]) -> Paired:
    """Compare two evaluations on the states that both tried."""
    known = {(t.task, t.start): t.success for t in first}
    both = [t for t in second if (t.task, t.start) in known]
    return paired([known[t.task, t.start] for t in both], [t.success for t in both])


def _act_with(parts: Parts, adapter: str) -> None:
    parts.policy.load(parts.ledger.folder(adapter), adapter)


def _learned(reports: Sequence[UpdateReport]) -> str:
    """The adapter that learning ended with, whether or not `_decide` withdrew it since."""
    # Only a withdrawal at the end uses up no episodes.
    kept = (report.adapter for report in reversed(reports) if report.kept and report.episodes)
    return next(kept, BASE)


def _decide(
    settings: Settings, parts: Parts, before: Sequence[Trial], after: Sequence[Trial]
) -> str:
    """Withdraw what was learned if held-out success says it is worse; returns the reason."""
    ledger = parts.ledger
    if ledger.reports and not ledger.reports[-1].episodes:
        return ledger.reports[-1].why
    if ledger.current == BASE:
        return ledger.reports[-1].why if ledger.reports else "no update was made"
    ours, theirs = score(after), score(before)
    bad, said = gate.worse((ours.k, ours.n), (theirs.k, theirs.n), settings.gate)
    if bad:
        number = len(ledger.reports) + 1
        why = f"rolled back from {ledger.current} to {BASE}: held-out {said}"
        ledger.commit(UpdateReport(number, BASE, BASE, (), kept=True, why=why), None)
        return why
    return f"held-out success {said}"
