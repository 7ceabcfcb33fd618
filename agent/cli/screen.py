"""What a person sees while a deployment runs, and at its end."""

from __future__ import annotations

import sys
from collections import deque
from dataclasses import dataclass, field

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from agent import clock
from agent.deployment import Outcome
from agent.episode import UpdateReport, Verdict
from agent.interval import wilson
from agent.scoring import Tried
from agent.session import Acted, Event, Halted, Updated
from agent.settings import Settings

RECENT = 24  # episodes in the moving success rate
UPDATES = 8  # lines of the update table
PHASES = {"before": "scoring the start adapter", "adapt": "adapting", "after": "scoring the result"}


@dataclass(slots=True)
class Seen:
    """Everything the screen knows; changed by events, drawn by `draw`."""

    settings: Settings
    folder: str
    began_s: float = field(default_factory=clock.now_s)
    phase: str = "before"
    done: int = 0
    total: int = 0
    won: int = 0
    episodes: int = 0
    recent: deque[bool] = field(default_factory=lambda: deque(maxlen=RECENT))
    updates: deque[UpdateReport] = field(default_factory=lambda: deque(maxlen=UPDATES))
    halted: str = ""

    def take(self, event: Event | Tried) -> None:
        """Note what happened."""
        if isinstance(event, Tried):
            if event.phase != self.phase or event.done == 1:
                self.won = 0
            self.phase, self.done, self.total = event.phase, event.done, event.total
            self.won += event.trial.success
        elif isinstance(event, Acted):
            self.phase = "adapt"
            self.episodes = event.number + 1
            self.recent.append(event.scored.signal.verdict is Verdict.SUCCESS)
        elif isinstance(event, Updated):
            self.updates.append(event.report)
        elif isinstance(event, Halted):
            self.halted = halted(event)


class Screen:
    """A live picture on a terminal; one line an event of note elsewhere."""

    def __init__(self, console: Console, seen: Seen) -> None:
        self._console, self._seen = console, seen
        self._live = Live(
            get_renderable=lambda: draw(seen),
            console=console,
            refresh_per_second=4,
            transient=True,
            # Talk that goes to a file stays there; on the terminal it is written above the picture.
            redirect_stderr=sys.stderr.isatty(),
        )

    def __enter__(self) -> Screen:
        """Begin to draw."""
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Give the terminal back."""
        if self._console.is_terminal:
            self._live.stop()

    def take(self, event: Event | Tried) -> None:
        """Show an event."""
        self._seen.take(event)
        if not self._console.is_terminal:
            line = said(self._seen, event)
            if line:
                self._console.print(line, highlight=False, soft_wrap=True)


def draw(seen: Seen) -> RenderableType:
    """The whole picture."""
    robot, run = seen.settings.robot, seen.settings.run
    shift = ", ".join(f"{name} {value:g}" for name, value in robot.shift.items()) or "none"
    elapsed_s = clock.now_s() - seen.began_s
    left_s = max(0.0, 60.0 * run.minutes - elapsed_s)
    head = Text(f"{robot.name}   shift: {shift}   seed {run.seed}   {seen.folder}", style="dim")
    bars = Table.grid(padding=(0, 2))
    if seen.phase == "adapt":
        bars.add_row(
            "episodes", _bar(seen.episodes, run.episodes), f"{seen.episodes}/{run.episodes}"
        )
        bars.add_row(
            f"success, last {len(seen.recent)}", *_rate(sum(seen.recent), len(seen.recent))
        )
    else:
        bars.add_row("held-out states", _bar(seen.done, seen.total), f"{seen.done}/{seen.total}")
        bars.add_row("success so far", *_rate(seen.won, seen.done))
    bars.add_row("time", _bar(elapsed_s, 60.0 * run.minutes), f"{_clock(left_s)} left at most")
    parts: list[RenderableType] = [head, bars]
    if seen.updates:
        parts.append(_updates(seen))
    if seen.halted:
        parts.append(Text(seen.halted, style="bold yellow"))
    return Panel(Group(*parts), title=f"vlarl-agent: {PHASES[seen.phase]}", title_align="left")


def said(seen: Seen, event: Event | Tried) -> str:
    """One line about an event, "" for those of no note."""
    if isinstance(event, Tried):
        if event.done not in {event.total, event.total // 2}:
            return ""
        return f"{PHASES[event.phase]}: {event.done}/{event.total}, {seen.won} succeeded"
    if isinstance(event, Updated):
        report = event.report
        word = "kept" if report.kept else "not kept"
        return f"update {report.number} after {seen.episodes} episodes: {word}: {report.why}"
    if isinstance(event, Halted):
        return halted(event)
    recent = list(seen.recent)
    if seen.episodes % 8:
        return ""
    return f"episode {seen.episodes}: {sum(recent)} of the last {len(recent)} succeeded"


def halted(event: Halted) -> str:
    """That learning waits, why, and what to do."""
    alarm = event.alarm
    return (
        f"learning is suspended since episode {event.number + 1}: {alarm.watch}: {alarm.why}; "
        "put it right, then: vlarl-agent lift RUN --why ..."
    )


def summary(outcome: Outcome) -> RenderableType:
    """The last screen: was it worth it, and where is the log."""
    table = Table.grid(padding=(0, 2))
    for name, score in (("before", outcome.before), ("after", outcome.after)):
        rate = f"{100 * score.k / max(score.n, 1):.0f} %"
        bounds = f"95 % interval {100 * score.low:.0f} to {100 * score.high:.0f} %"
        table.add_row(f"success {name}", f"{score.k}/{score.n}", rate, bounds)
    table.add_row("difference", "", "", f"paired exact test p = {outcome.paired_p:.3g}")
    spent = f"{outcome.episodes} episodes of {outcome.robots} robot, {outcome.minutes:.1f} minutes"
    kept = f"{outcome.updates_kept} of {outcome.updates} updates kept"
    verdict = f"adapter {outcome.adapter} kept" if outcome.kept else "no adapter kept"
    lines: list[RenderableType] = [
        table,
        Text(f"spent: {spent}; {kept}"),
        Text(f"{verdict}: {outcome.why}", style="bold green" if outcome.kept else "bold yellow"),
        Text(f"open the log:  vlarl-agent tui {outcome.run}"),
    ]
    shift = ", ".join(f"{name} {value:g}" for name, value in outcome.shift.items()) or "none"
    title = f"{outcome.task}, shift: {shift}, held-out start states"
    return Panel(Group(*lines), title=title, title_align="left")


def _updates(seen: Seen) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("update", "success", "loss", "clipped", "KL start", "critic EV", ""):
        table.add_column(name, justify="left" if name == "" else "right", no_wrap=True)
    for report in seen.updates:
        m = report.metrics
        row = [
            f"{m[name]:.{digits}f}" if name in m else "-"
            for name, digits in (
                ("update/success_rate", 2),
                ("update/policy_loss", 3),
                ("update/clip_fraction", 2),
                ("update/kl_reference", 3),
                ("critic/explained_variance", 2),
            )
        ]
        style = "green" if report.kept else "yellow"
        outcome = Text("kept" if report.kept else report.why, style=style, overflow="ellipsis")
        table.add_row(str(report.number), *row, outcome)
    return table


def _bar(done: float, total: float) -> ProgressBar:
    return ProgressBar(total=max(total, 1e-9), completed=min(done, total), width=32)


def _rate(won: int, tried: int) -> tuple[RenderableType, str]:
    interval = wilson(won, tried)
    rate = 100 * won / max(tried, 1)
    return _bar(won, tried), f"{rate:.0f} %  [{100 * interval.low:.0f}, {100 * interval.high:.0f}]"


def _clock(seconds: float) -> str:
    return f"{int(seconds // 60)}:{int(seconds % 60):02d}"
