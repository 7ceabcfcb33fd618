"""One run at a glance: what it does, whether it gets better, and what it cost."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent import curriculum
from agent.interval import Paired
from agent.logbook.activity import Activity, Progress, activity, group, whole
from agent.logbook.damage import Damage, Damages
from agent.logbook.episodes_view import EpisodeRow, rows
from agent.logbook.health import JudgeHealth, Safety, judge_health, safety
from agent.logbook.rate import Rate
from agent.logbook.success import (
    WINDOW,
    AdapterSuccess,
    Evaluation,
    Point,
    by_adapter,
    compared,
    curve,
    evaluations,
)
from agent.logbook.suspended import doubted, suspensions
from agent.logbook.updates import UpdateRow, acting, updates
from agent.store.run import RUN, open_run
from agent.suspension import Suspended, Suspensions


@dataclass(frozen=True, slots=True)
class Head:
    """What a run was told. created: UTC, ISO 8601. settings, origins: as saved; {} if damaged."""

    name: str
    path: str
    created: str
    version: str
    robot: str
    task: str
    shift: Mapping[str, float]
    seed: int | None
    wanted: int
    settings: Mapping[str, Any]
    origins: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ArmRow:
    """One start state of a task. weight: how much the curriculum wants it, against the others."""

    task: str
    start: int
    rate: Rate
    unknown: int
    weight: float


@dataclass(frozen=True, slots=True)
class Spent:
    """Disk and time. used_bytes: of episodes, adapters and updates; free_bytes: of the disk.

    robot_s: seconds of all episodes. began, ended: UTC, ISO 8601, first episode to last, "" with
    none.
    """

    used_bytes: int
    free_bytes: int
    robot_s: float
    began: str
    ended: str


@dataclass(frozen=True, slots=True)
class RunView:
    """One run. recent: the last `WINDOW` episodes. paired: before against after, same states.

    adapter: the one that acts. arms: start states tried so far, the most wanted first; untried
    ones are not known from the log. outcome: outcome.json as it is, {} before the end.
    suspended: the alarms that hold learning up now.
    """

    head: Head
    activity: Activity
    adapter: str
    episodes: int
    whole: Rate
    recent: Rate
    points: tuple[Point, ...]
    by_adapter: tuple[AdapterSuccess, ...]
    updates: tuple[UpdateRow, ...]
    curriculum: str
    arms: tuple[ArmRow, ...]
    safety: Safety
    judge: JudgeHealth
    spent: Spent
    evaluations: tuple[Evaluation, ...]
    paired: Paired | None
    outcome: Mapping[str, Any] = field(default_factory=dict)
    suspended: tuple[Suspended, ...] = ()
    window: int = WINDOW
    damage: tuple[Damage, ...] = ()


def run(folder: Path) -> RunView:
    """Everything about one run, as far as it can be read. Raises UsageError where there is none."""
    damages = Damages(folder)
    top = head(folder, damages)
    history = updates(folder, damages)
    table = rows(folder, damages, history)
    points = curve(table)
    scores = evaluations(folder, damages)
    mode = str(group(top.settings, "run").get("curriculum", "variance"))
    outcomes = [point.won for point in points]
    halts = suspensions(folder, damages)
    return RunView(
        head=top,
        activity=activity(folder, top.settings, progress(top, table, history, halts)),
        adapter=acting(history),
        episodes=len(points),
        whole=Rate.of(outcomes),
        recent=Rate.of(outcomes[-WINDOW:]),
        points=points,
        by_adapter=by_adapter(points),
        updates=history,
        curriculum=mode,
        arms=_arms(table, mode),
        safety=safety(table),
        judge=judge_health(table),
        spent=_spent(folder, table, damages),
        evaluations=scores,
        paired=before_after(scores),
        outcome=damages.json(folder / "outcome.json"),
        suspended=halts.standing,
        damage=damages.found,
    )


def head(folder: Path, damages: Damages) -> Head:
    """What run.json tells. Raises UsageError where the folder holds no run at all."""
    if not folder.is_dir() or not (folder / RUN).exists():
        open_run(folder)  # says so
    told = damages.read(folder / RUN, lambda path: open_run(path.parent))
    settings: Mapping[str, Any] = {} if told is None else told.settings
    robot, run_ = group(settings, "robot"), group(settings, "run")
    shift = {str(k): float(v) for k, v in group(robot, "shift").items() if _is_number(v)}
    seed = run_.get("seed")
    return Head(
        name=folder.resolve().name,
        path=str(folder),
        created="" if told is None else told.created,
        version="" if told is None else told.vlarl_version,
        robot=str(robot.get("name", "")),
        task=str(robot.get("task", "")),
        shift=shift,
        seed=seed if isinstance(seed, int) else None,
        wanted=whole(run_.get("episodes")),
        settings=settings,
        origins={} if told is None else told.origins,
    )


def progress(
    top: Head,
    table: Sequence[EpisodeRow],
    history: tuple[UpdateRow, ...],
    halts: Suspensions,
) -> Progress:
    """How far the run is."""
    sealed = [row for row in table if row.status == "sealed"]
    waiting = [row.id for row in sealed if row.used_by is None]
    running = [row for row in table if row.status == "running"]
    last = running[-1] if running else None
    taken = 0 if last is None or last.summary is None else last.summary.decisions
    return Progress(
        sealed=len(sealed),
        wanted=top.wanted,
        running="" if last is None else last.id,
        decisions=taken,
        updates=history,
        doubted=doubted(halts, waiting),
        suspended=bool(halts.standing),
    )


def before_after(scores: Sequence[Evaluation]) -> Paired | None:
    """The evaluation before against the last one after; None where one is missing."""
    before = [each for each in scores if each.phase == "before"]
    after = [each for each in scores if each.phase == "after"]
    return compared(before[0], after[-1]) if before and after else None


def _arms(table: Sequence[EpisodeRow], mode: str) -> tuple[ArmRow, ...]:
    tried: dict[curriculum.Arm, list[bool | None]] = {}
    for row in table:
        if row.status == "sealed" and row.summary is not None:
            tried.setdefault((row.summary.task, row.summary.start), []).append(row.won)
    how: curriculum.Mode = mode if mode in {"uniform", "paper"} else "variance"  # type: ignore[assignment]
    found = []
    for (task, start), outcomes in tried.items():
        # As the session counts: what nobody could judge counts for nothing.
        known = [won for won in outcomes if won is not None]
        weight = curriculum.weight(sum(known), len(known), how)
        found.append(ArmRow(task, start, Rate.of(outcomes), len(outcomes) - len(known), weight))
    return tuple(sorted(found, key=lambda arm: (-arm.weight, arm.task, arm.start)))


def _spent(folder: Path, table: Sequence[EpisodeRow], damages: Damages) -> Spent:
    known = [row.summary for row in table if row.summary is not None]
    began = sorted(summary.began for summary in known if summary.began)
    stored = sum(summary.stored_bytes for summary in known)
    stored += sum(_size(folder / name) for name in ("adapters", "updates", "evaluations"))
    free = damages.read(folder, lambda path: shutil.disk_usage(path).free)
    return Spent(
        used_bytes=stored,
        free_bytes=free or 0,
        robot_s=sum(summary.seconds for summary in known),
        began=began[0] if began else "",
        ended=began[-1] if began else "",
    )


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:  # removed in the meantime
            continue
    return total


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)
