"""The parts of the run screen: each turns a RunView into lines of a given width."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from textual.content import Content

from agent.logbook import Rate, RunView
from agent.logbook.updates import UpdateRow
from agent.tui import theme
from agent.tui.figures import NONE, bar, cut, moment, number, percent, rate, seconds, size
from agent.tui.panel import Line, pairs
from agent.tui.plot import Curve, Frame, chart

Part = tuple[str, str]


def heading(view: RunView) -> tuple[str, list[str], Part]:
    """What the header tells of a run."""
    head, activity = view.head, view.activity
    tasks = {arm.task for arm in view.arms}
    doing = task(view) if head.task or len(tasks) < 2 else f"{len(tasks)} tasks"
    where = ": ".join(part for part in (head.robot, doing) if part)
    facts = [f"adapter {view.adapter}", where] if where else [f"adapter {view.adapter}"]
    if head.shift:
        facts.append("shift " + shift(view))
    halted, style = ("", theme.GOOD) if not view.suspended else ("! not learning  ", theme.CARE)
    if activity.live:
        return head.name, facts, (f"{theme.LIVE} {halted}live: {activity.phase}", style)
    style = style if halted else theme.QUIET
    return head.name, facts, (f"{theme.ENDED} {halted}{activity.phase}", style)


def task(view: RunView) -> str:
    """The task as it was told, else the one there is an episode of."""
    return view.head.task or ", ".join(sorted({arm.task for arm in view.arms}))


def shift(view: RunView) -> str:
    """The shifts of the robot's world, in words."""
    return ", ".join(f"{name} {value:g}" for name, value in view.head.shift.items()) or "none"


def told(found: Rate) -> str:
    """A rate with its interval."""
    return rate(found.won, found.tried, found.low, found.high)


def success(view: RunView, width: int, height: int) -> list[Line | Content]:
    """The curve of the moving window."""
    if not view.points:
        return [[("no episode is judged yet", theme.QUIET)], [(view.activity.doing, theme.PLAIN)]]
    points = view.points
    curve = Curve(
        np.array([point.rate.share if point.rate.tried else np.nan for point in points]),
        np.array([point.rate.low for point in points]),
        np.array([point.rate.high for point in points]),
    )
    marks = [
        (index, point.adapter)
        for index, point in enumerate(points)
        if index and point.adapter != points[index - 1].adapter
    ]
    ends = (f"episode {int(points[0].id)}", f"{int(points[-1].id)}")
    return [chart(curve, Frame(width, height, 0.0, 1.0, percent, marks, ends))]


_UPDATE_COLUMNS = (
    ("success", "update/success_rate", 7, 2),
    ("KL start", "update/kl_reference", 8, 3),
    ("KL step", "update/kl_step", 7, 3),
    ("loss", "update/policy_loss", 7, 3),
    ("clipped", "update/clip_fraction", 7, 2),
    ("critic EV", "critic/explained_variance", 9, 2),
)


def updates(view: RunView, width: int, most: int) -> list[Line | Content]:
    """The newest updates, newest first, each with what became of it."""
    if not view.updates:
        return [[("no update yet", theme.QUIET)]]
    shown = _UPDATE_COLUMNS if width >= 100 else tuple(_UPDATE_COLUMNS[n] for n in (0, 1, 3, 5))
    head = "  ".join(f"{title:>{cells}}" for title, _, cells, _ in shown)
    lines: list[Line | Content] = [[(f"{'':>4}  {'':<13}{head}  why", theme.QUIET)]]
    room = width - 4 - 2 - 13 - len(head) - 2
    lines += [_update(row, shown, room) for row in reversed(view.updates[-max(most, 1) :])]
    return lines


def _update(row: UpdateRow, shown: Sequence[tuple[str, str, int, int]], room: int) -> Line:
    mark, style = theme.symbol(row.outcome)
    figures = "  ".join(
        f"{number(row.metrics.get(name), digits):>{cells}}" for _, name, cells, digits in shown
    )
    return [
        (f"{row.number:>4}  ", theme.PLAIN),
        (f"{mark} {row.outcome:<11}", style),
        (figures, theme.PLAIN),
        (f"  {cut(row.why, room)}", theme.QUIET),
    ]


def held_out(view: RunView, width: int) -> list[Line]:
    """Held-out success before and after, and what was decided."""
    facts: list[tuple[str, str | Part]] = [
        (f"{each.phase}, {each.adapter}", told(each.rate)) for each in view.evaluations
    ]
    if not facts:
        return [[("not scored yet", theme.QUIET)]]
    if view.paired is not None:
        better, worse = view.paired.only_second, view.paired.only_first
        facts.append(("changed", f"{better} now succeed, {worse} now fail"))
        facts.append(("difference", f"paired exact test p = {view.paired.p_value:.2g}"))
    if view.outcome:
        kept = bool(view.outcome.get("kept"))
        word = f"adapter {view.outcome.get('adapter')} kept" if kept else "no adapter kept"
        mark, style = theme.symbol("kept" if kept else "discarded")
        facts.append(("decided", (f"{mark} {word}", style)))
    return pairs(facts, width)


def by_adapter(view: RunView, width: int, most: int) -> list[Line]:
    """Success of each adapter while it acted, the newest first."""
    lines = list[Line]()
    for row in reversed(view.by_adapter[-most:]):
        said = told(row.rate)
        across = max(4, min(24, width - 10 - 30))
        acts = row.adapter == view.adapter
        lines.append([
            ("▸ " if acts else "  ", theme.MARK),
            (f"{row.adapter:<7} ", theme.STRONG if acts else theme.PLAIN),
            (bar(row.rate.share, across), theme.LINE),
            (f" {said}", theme.PLAIN),
        ])  # fmt: skip
    older = len(view.by_adapter) - most
    if older > 0:
        lines.append([(f"  and {older} before", theme.QUIET)])
    return lines or [[("no episode yet", theme.QUIET)]]


def curriculum(view: RunView, width: int, most: int) -> list[Line]:
    """Which start states are wanted most."""
    lines: list[Line] = [
        [(f"mode {view.curriculum}; {len(view.arms)} start states tried", theme.QUIET)]
    ]
    total = max((arm.weight for arm in view.arms), default=0.0) or 1.0
    for arm in view.arms[:most]:
        name = cut(f"{arm.task} {arm.start}", max(8, width - 34))
        unknown = f" {arm.unknown} unknown" if arm.unknown else ""
        lines.append([
            (f"{name:<{max(8, width - 34)}} ", theme.PLAIN),
            (f"{arm.rate.won:>3}/{arm.rate.tried:<3} ", theme.PLAIN),
            (bar(arm.weight / total, 8), theme.LINE),
            (f" weight {arm.weight:.2f}{unknown}", theme.QUIET),
        ])  # fmt: skip
    return lines


def safety(view: RunView, width: int) -> list[Line]:
    """Limits, hands and interruptions, counted."""
    found = view.safety
    limits = ", ".join(f"{name.lower()} {count}" for name, count in found.limits.items())
    reasons = ", ".join(f"{why} ({count})" for why, count in found.reasons.items())
    broken = (f"‖ {found.interrupted}: {reasons}", theme.CARE) if found.interrupted else "0"
    facts: list[tuple[str, str | Part]] = [
        ("decisions", f"{found.decisions}, {found.control_steps} control steps"),
        ("as asked", _executed(found.executed_share)),
        ("limits met", (f"! {limits}", theme.CARE) if limits else "none"),
        ("by hand", f"{found.by_hand} decisions"),
        ("broken off", broken),
    ]
    if found.quarantined:
        facts.append(("set aside", (f"! {found.quarantined} damaged episodes", theme.BAD)))
    return pairs(facts, width)


def judge(view: RunView, width: int) -> list[Line]:
    """What the judge said, and how often people agreed."""
    found = view.judge
    agreed = (
        f"{found.agreed} of {found.labelled} labelled episodes"
        if found.labelled
        else "no labels yet"
    )
    said = f"✓ {found.success}   ✗ {found.failure}   ? {found.unknown}"
    return pairs(
        [
            ("judged by", ", ".join(f"{name} ({n})" for name, n in found.sources.items()) or NONE),
            ("verdicts", said),
            ("agrees with", agreed),
        ],
        width,
    )


def spent(view: RunView, width: int) -> list[Line]:
    """Disk and time."""
    found = view.spent
    free: str | Part = size(found.free_bytes)
    if found.free_bytes < 1e9:
        free = (f"! {size(found.free_bytes)}", theme.BAD)
    return pairs(
        [
            ("on disk", size(found.used_bytes)),
            ("disk free", free),
            ("robot time", seconds(found.robot_s)),
            ("first, last", f"{moment(found.began) or NONE} to {moment(found.ended) or NONE}"),
        ],
        width,
    )


def now(view: RunView, width: int) -> list[Line]:
    """What it does, what it was told."""
    head = view.head
    wanted = f" of {head.wanted}" if head.wanted else ""
    seed = NONE if head.seed is None else str(head.seed)
    halted = [
        ("suspended", (f"! {each.watch}, episode {each.episode}: {each.why}", theme.BAD))
        for each in view.suspended
    ]
    return pairs(
        [
            ("now", (view.activity.doing, theme.GOOD if view.activity.live else theme.PLAIN)),
            *halted,
            ("episodes", f"{view.episodes}{wanted}"),
            ("success", told(view.whole)),
            ("robot", f"{head.robot or NONE}, task {task(view) or NONE}, seed {seed}"),
            ("shift", shift(view)),
        ],
        width,
    )


def damage(view: RunView, width: int) -> list[Line]:
    """What cannot be read."""
    return [[("! ", theme.BAD), (cut(str(each), width - 2), theme.PLAIN)] for each in view.damage]


def _executed(share: float | None) -> str:
    return NONE if share is None else f"{100 * share:.1f} % of the control steps"
