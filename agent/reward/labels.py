"""Questions about single views with known answers, out of whole episodes: what a judge learns from.

Positives come out of successful episodes, negatives out of both kinds: what is not done yet, what
failed, the wrong instruction, an episode played backwards, and fingers that closed on nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from agent.errors import UsageError
from agent.reward.segments import Segmentation, SegmentSettings, Series, segment

Question = Literal["success", "milestone", "progress"]
Why = Literal[
    "end", "not yet", "keyframe", "between", "milestone", "underway", "failed", "wrong instruction",
    "reversed", "empty grasp",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class LabelSettings:
    """How labels are chosen.

    every_s: a label at least so often between keyframes; 0: at keyframes alone.
    end_s: views this close to a success's end count as done. not_yet_s: those this far from it
    count as not done; none is asked between. wrong: wrong instructions a success is asked.
    implied: (done, asked) instructions of which the second may hold where the first was done.
    near_m, near_opening: a failed rollout is with a successful one of its start state while some
    moment of that one is this close in tool and gripper. gone_s: away for so long it has diverged.
    without: share of a failed rollout that is left out where no successful one tells.
    empty_share: fingers closed below this share of what they close to in successes hold nothing.
    """

    every_s: float = 0.5
    end_s: float = 0.1
    not_yet_s: float = 0.5
    wrong: int = 2
    implied: tuple[tuple[str, str], ...] = ()
    near_m: float = 0.03
    near_opening: float = 0.3
    gone_s: float = 0.5
    without: float = 0.5
    empty_share: float = 0.5

    def __post_init__(self) -> None:
        """Refuse what cannot be. Raises UsageError."""
        for name in ("every_s", "end_s", "not_yet_s", "gone_s", "wrong"):
            if not 0 <= (value := getattr(self, name)) < np.inf:
                raise UsageError(f"{name}: 0 or more and finite wanted, found {value}")
        for name in ("near_m", "near_opening"):
            if not 0 < (value := getattr(self, name)) < np.inf:
                raise UsageError(f"{name}: above 0 and finite wanted, found {value}")
        for name in ("without", "empty_share"):
            if not 0 <= (value := getattr(self, name)) <= 1:
                raise UsageError(f"{name}: 0 to 1 wanted, found {value}")


@dataclass(frozen=True, slots=True)
class Told:
    """What labels need of an episode. run: any name of its run. success: None where unknown."""

    run: str
    id: str
    task: str
    instruction: str
    start: int
    success: bool | None
    series: Series


@dataclass(frozen=True, slots=True)
class Label:
    """One question about one view, and its answer.

    view: the view asked about. since: the view it is held against; the first where nothing else
    is said. answer: 1.0 for yes, 0.0 for no; of progress a number 0 .. 1.
    """

    run: str
    episode: str
    view: int
    since: int
    question: Question
    instruction: str
    answer: float
    why: Why


def labels_of(
    episodes: Sequence[Told],
    settings: LabelSettings | None = None,
    segments: SegmentSettings | None = None,
) -> Iterator[Label]:
    """Label episodes one after the other, each knowing of all; no question is asked twice."""
    told = settings or LabelSettings()
    cut = {(e.run, e.id): segment(e.series, segments) for e in episodes}
    won = [e for e in episodes if e.success]
    others = _others({e.task: e.instruction for e in episodes}, told)
    beside: dict[tuple[str, int], list[Series]] = defaultdict(list)
    for each in won:
        beside[each.task, each.start].append(each.series)
    closed = _closed([(e, cut[e.run, e.id]) for e in won])
    turn = 0
    for each in episodes:
        found = cut[each.run, each.id]
        if each.success:
            wrong = _turned(others[each.task], turn, told.wrong)
            fresh = [*_of_success(each, found, told, wrong)]
            turn += 1
        elif each.success is False:
            after = diverged(each.series, beside[each.task, each.start], told)
            holds = closed.get(each.task)
            fresh = [*_of_failure(each, after, told), *_empty(each, found, holds, told)]
        else:
            continue
        yield from _each_once(fresh)


def diverged(failed: Series, successes: Sequence[Series], told: LabelSettings) -> int:
    """The moment from which a failed rollout is no longer with any successful one.

    Its last moment where it never leaves them.
    """
    last = len(failed.opening) - 1
    if not successes:
        return round(told.without * last)
    nearest = np.full(last + 1, np.inf)
    for each in successes:
        aside = (failed.position_m[:, None] - each.position_m[None]) / told.near_m
        wider = (failed.opening[:, None] - each.opening[None]) / told.near_opening
        nearest = np.minimum(nearest, np.sqrt((aside**2).sum(-1) + wider**2).min(1))
    with_them = np.flatnonzero(nearest <= 1.0)
    stops = [-1, *with_them.tolist(), last + 1]
    patience = told.gone_s * failed.hz
    for here, back in pairwise(stops):
        if back - here - 1 > patience:
            return here + 1
    return last


def _of_success(
    each: Told, found: Segmentation, told: LabelSettings, wrong: Sequence[str]
) -> Iterator[Label]:
    series, moments = each.series, each.series.views
    end, last = int(moments[-1]), len(moments) - 1
    keyframes = {_view_at(series, int(at)) for at in found.keyframes}
    for view in _paced(series, told, keyframes | {0, last}):
        done = float(found.progress[moments[view]])
        yield _label(
            each, view, 0, "progress", done, "keyframe" if view in keyframes else "between"
        )
        if end - moments[view] >= told.not_yet_s * series.hz:
            yield _label(each, view, 0, "success", 0.0, "not yet")
    for at in np.flatnonzero(end - moments <= told.end_s * series.hz):
        yield _label(each, int(at), 0, "success", 1.0, "end")
    for other in wrong:
        yield Label(each.run, each.id, last, 0, "success", other, 0.0, "wrong instruction")
    yield from _of_milestones(each, found)
    for view in sorted(keyframes - {last}):
        yield _label(each, view, last, "progress", 0.0, "reversed")


def _of_milestones(each: Told, found: Segmentation) -> Iterator[Label]:
    begin = 0
    for at in found.milestones:
        reached = _view_at(each.series, int(at))
        if reached > begin:
            yield _label(each, reached, begin, "milestone", 1.0, "milestone")
            yield _label(each, begin, reached, "milestone", 0.0, "reversed")
        if reached - begin >= 2:
            yield _label(each, (begin + reached) // 2, begin, "milestone", 0.0, "underway")
        begin = reached


def _of_failure(each: Told, after: int, told: LabelSettings) -> Iterator[Label]:
    last = len(each.series.views) - 1
    for view in _paced(each.series, told, {last}):
        if each.series.views[view] >= after or view == last:
            yield _label(each, view, 0, "success", 0.0, "failed")


def _empty(
    each: Told, found: Segmentation, holds: float | None, told: LabelSettings
) -> Iterator[Label]:
    """A milestone that is none: fingers closed further than around what they were to hold."""
    for at, until, opening in _closings(found):
        view = _view_at(each.series, at)
        if holds is not None and opening < told.empty_share * holds:
            settled = _view_at(each.series, (at + until) // 2)
            yield _label(each, settled, 0, "milestone", 0.0, "empty grasp")
            if settled != view:
                yield _label(each, view, 0, "milestone", 0.0, "empty grasp")


def _closed(won: Sequence[tuple[Told, Segmentation]]) -> Mapping[str, float]:
    """For each task, the least opening that fingers closed to in its successes."""
    least: dict[str, float] = {}
    for each, found in won:
        for _, _, opening in _closings(found):
            least[each.task] = min(opening, least.get(each.task, np.inf))
    return least


def _closings(found: Segmentation) -> list[tuple[int, int, float]]:
    """Each moment the gripper closes, the next milestone, and the median opening between."""
    pairs = zip(found.milestones[:-1], found.milestones[1:], found.closing[:-1], strict=True)
    return [
        (int(at), int(until), float(np.median(found.opening[(at + until) // 2 : until + 1])))
        for at, until, closes in pairs
        if closes
    ]


def _paced(series: Series, told: LabelSettings, always: set[int]) -> list[int]:
    """Some views, in their order: those that must be, and one at least every so often."""
    if told.every_s <= 0:
        return sorted(always)
    chosen, due = set(always), told.every_s * series.hz
    newest = int(series.views[0])
    for view, moment in enumerate(series.views):
        if view in always or moment - newest >= due:
            chosen.add(view)
            newest = int(moment)
    return sorted(chosen)


def _view_at(series: Series, moment: int) -> int:
    """The first view taken at a moment or after it."""
    return min(int(np.searchsorted(series.views, moment)), len(series.views) - 1)


def _label(each: Told, view: int, since: int, question: Question, answer: float, why: Why) -> Label:
    return Label(each.run, each.id, view, since, question, each.instruction, answer, why)


def _others(asked: Mapping[str, str], told: LabelSettings) -> Mapping[str, tuple[str, ...]]:
    """For each task, instructions of other tasks that its end does not fulfil."""
    return {
        task: tuple(
            sorted(
                other
                for name, other in asked.items()
                if name != task and other != mine and (mine, other) not in told.implied
            )
        )
        for task, mine in asked.items()
    }


def _turned(others: Sequence[str], turn: int, count: int) -> list[str]:
    """A few of the others, different ones in each turn."""
    few = min(count, len(others))
    return [others[(turn * few + number) % len(others)] for number in range(few)]


def _each_once(found: Sequence[Label]) -> Iterator[Label]:
    seen = set()
    for each in found:
        key = (each.view, each.since, each.question, each.instruction)
        if key not in seen:
            seen.add(key)
            yield each
