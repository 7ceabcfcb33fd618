"""What `vlarl-agent log` says of runs, adapters, the judge and events, in words."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from agent.cli.tables import WIDTH, damaged, facts, spark, table
from agent.logbook import (
    AdaptersView,
    Comparison,
    LogView,
    Rate,
    RewardView,
    RunsView,
    RunView,
)
from agent.logbook.reward_view import Confusion
from agent.logbook.words import clock, number, rate, size
from agent.suspension import Suspended

_LOSSES = (
    ("update/success_rate", 2),
    ("update/policy_loss", 3),
    ("update/clip_fraction", 2),
    ("update/kl_step", 3),
    ("update/kl_reference", 3),
    ("critic/explained_variance", 2),
)


def runs(view: RunsView) -> str:
    """One line a run."""
    if not view.rows:
        return f"no run in {view.path}"
    rows = [
        (
            "*" if row.activity.live else " ",
            row.head.name,
            f"{row.episodes}/{row.head.wanted}",
            _short(row.before),
            _short(row.after),
            row.adapter,
            row.activity.doing
            + ("; learning is suspended" if row.suspended else "")
            + (f"; {len(row.damage)} damaged" if row.damage else ""),
        )
        for row in view.rows
    ]
    return table(("", "run", "episodes", "before", "after", "acts", "doing"), rows, "001111")


def run(view: RunView) -> str:
    """One run on a screen or two."""
    head, safe, judge, spent = view.head, view.safety, view.judge, view.spent
    shift = ", ".join(f"{name} {value:g}" for name, value in head.shift.items()) or "none"
    live = f"live, process {view.activity.pid}: " if view.activity.live else ""
    limits = ", ".join(f"{name} {count}" for name, count in safe.limits.items()) or "none met"
    share = "-" if safe.executed_share is None else f"{100 * safe.executed_share:.1f} %"
    broken = ", ".join(f"{why} ({count})" for why, count in safe.reasons.items())
    labels = f"{judge.agreed} of {judge.labelled} agree" if judge.labelled else "none typed"
    sources = ", ".join(f"{name} ({count})" for name, count in judge.sources.items()) or "none yet"
    verdicts = f"success {judge.success}, failure {judge.failure}, unknown {judge.unknown}"
    since = f"from {clock(spent.began)} to {clock(spent.ended)} UTC"
    rows = [
        ("run", f"{head.name}, begun {clock(head.created)} UTC"),
        ("doing", live + view.activity.doing),
        *(("suspended", halted(each)) for each in view.suspended),
        ("robot", f"{head.robot} {head.task}".strip() + f", shift {shift}, seed {head.seed}"),
        ("episodes", f"{view.episodes} of {head.wanted}, adapter {view.adapter} acts"),
        ("success", f"{rate(view.whole)}; last {view.recent.tried}: {rate(view.recent)}"),
        *_held_out(view),
        ("limits", f"{limits}; as asked {share}; by hand {safe.by_hand} of {safe.decisions}"),
        ("broken off", f"{safe.interrupted}{': ' + broken if broken else ''}"),
        ("set aside", str(safe.quarantined)),
        ("judge", f"{sources}: {verdicts}; labels: {labels}"),
        ("disk", f"{size(spent.used_bytes)} used, {size(spent.free_bytes)} free"),
        ("robot time", f"{spent.robot_s / 60:.1f} min, {since}"),
    ]
    parts = [facts(rows)]
    if view.points:
        parts.append(f"success of the last {view.window} episodes, 0 to 100 %")
        parts.append(spark([point.rate.share for point in view.points]))
    acted = [
        (each.adapter, rate(each.rate), f"{each.first} to {each.last}") for each in view.by_adapter
    ]
    parts.append(table(("adapter", "success", "episodes"), acted[-12:]))
    parts.append(_updates(view))
    parts.append(_arms(view))
    return "\n\n".join(part for part in (*parts, *damaged(view.damage)) if part)


def halted(alarm: Suspended) -> str:
    """Who holds learning up, since when and why."""
    since = f" since episode {alarm.episode}" if alarm.episode else ""
    return f"learning waits{since}: {alarm.watch}: {alarm.why}; `vlarl-agent lift` ends it"


def adapters(view: AdaptersView) -> str:
    """The tree of adapters."""
    rows = [
        (
            "  " * min(row.depth, 8) + row.name,
            row.state,
            _short(row.acted),
            _short(row.evaluations[-1].rate if row.evaluations else None),
            number(row.metrics.get("update/kl_reference")),
            row.why,
        )
        for row in view.rows
    ]
    text = table(("adapter", "state", "acted", "held out", "KL", "why"), rows, "00111")
    return "\n".join([text, *damaged(view.damage)])


def comparison(view: Comparison) -> str:
    """Two adapters side by side."""
    first, second = view.first, view.second
    rows = [
        ("state", first.state, second.state),
        ("parent", first.parent or "-", second.parent or "-"),
        ("made of", f"{len(first.episodes)} episodes", f"{len(second.episodes)} episodes"),
        ("acted", rate(first.acted), rate(second.acted)),
        (
            "held out",
            rate(first.evaluations[-1].rate if first.evaluations else None),
            rate(second.evaluations[-1].rate if second.evaluations else None),
        ),
    ]
    for name in ("update/kl_reference", "update/policy_loss", "gate/forgetting"):
        rows.append((name, number(first.metrics.get(name)), number(second.metrics.get(name))))  # noqa: PERF401
    if view.apart is not None:
        rows.append(("added weights, norm", number(view.apart.first), number(view.apart.second)))
    lines = [table(("", first.name, second.name), rows)]
    if view.apart is not None:
        lines.append(f"norm of the difference {view.apart.distance:.3f}; most in:")
        lines += [f"  {each.distance:.3f}  {each.layer}" for each in view.apart.layers[:5]]
    lines.append(
        f"{second.name} succeeds more often with probability {view.second_better:.2f} (as acted)"
    )
    if view.paired is not None:
        lines.append(
            f"same held-out states: only {first.name} {view.paired.only_first}, only {second.name} "
            f"{view.paired.only_second}, exact test p = {view.paired.p_value:.3g}"
        )
    return "\n".join([*lines, *damaged(view.damage)])


def reward(view: RewardView) -> str:
    """The judge and what is known of it."""
    health = view.health
    sources = ", ".join(f"{name} ({count})" for name, count in health.sources.items()) or "none yet"
    verdicts = f"success {health.success}, failure {health.failure}, unknown {health.unknown}"
    lines = [f"judge {sources}: {verdicts}"]
    for each in (view.labels, view.world):
        if each is not None:
            lines += ["", *_confusion(each)]
    if view.bins:
        rows = [
            (f"{b.low:.1f} to {b.high:.1f}", number(b.said, 2), rate(b.came)) for b in view.bins
        ]
        lines += ["", table(("probability", "said", "came true"), rows)]
        lines.append(f"Brier score {number(view.brier)} (0 is perfect, 0.25 a coin)")
    if view.disagreed:
        lines.append(f"label and verdict differ: {' '.join(view.disagreed[:10])}")
    if view.probes:
        right = sum(probe.wanted == probe.found for probe in view.probes)
        lines.append(f"probes: {right} of {len(view.probes)} as wanted")
    return "\n".join([*lines, *(f"note: {note}" for note in view.notes), *damaged(view.damage)])


def events(view: LogView, last: int) -> str:
    """The newest events, oldest of them first, under the day on which they were."""
    shown = view.events[-last:]
    lines, day = [], ""
    for each in shown:
        when = clock(each.when)
        if when[:10] != day:
            day = when[:10]
            lines.append(f"{day} UTC" if each.when else "at an unknown time")
        start = f"{when[11:]:8}  {each.kind:11}  "
        said = f"{each.subject}  {each.text}"
        lines.append(textwrap.fill(said, WIDTH, initial_indent=start, subsequent_indent=" " * 23))
    left = len(view.events) - len(shown)
    if left:
        lines.append(f"{left} earlier ones: --last {len(view.events)}, or --json")
    return "\n".join([*lines, *damaged(view.damage)])


def _held_out(view: RunView) -> list[tuple[str, str]]:
    if not view.evaluations:
        return [("held out", "not scored yet")]
    told = [f"{each.phase} ({each.adapter}) {rate(each.rate)}" for each in view.evaluations]
    if view.paired is not None:
        told.append(f"exact paired test p = {view.paired.p_value:.3g}")
    return [("held out", "; ".join(told))]


def _updates(view: RunView) -> str:
    rows = [
        (
            str(row.number),
            row.outcome,
            *(number(row.metrics.get(name), digits) for name, digits in _LOSSES),
            row.why,
        )
        for row in view.updates[-12:]
    ]
    heads = ("update", "outcome", "won", "loss", "clip", "KL", "KL0", "EV", "why")
    return table(heads, rows, "10111111") if rows else "no update yet"


def _arms(view: RunView) -> str:
    if not view.arms:
        return ""
    rows = [
        (arm.task, str(arm.start), _short(arm.rate), f"{arm.weight:.3f}") for arm in view.arms[:8]
    ]
    title = f"{view.curriculum} curriculum, {len(view.arms)} start states tried; the most wanted:"
    return title + "\n" + table(("task", "start", "success", "weight"), rows, "0111")


def _confusion(found: Confusion) -> list[str]:
    rows: Sequence[tuple[str, ...]] = [
        ("said success", str(found.true_success), str(found.false_success)),
        ("said failure", str(found.false_failure), str(found.true_failure)),
    ]
    title = f"against the {found.against}: {rate(found.accuracy)} true, {found.unknown} unsaid"
    return [title, table(("", "was success", "was failure"), rows, "011")]


def _short(found: Rate | None) -> str:
    return "-" if found is None or not found.tried else f"{found.won}/{found.tried}"
