"""Greedy success with several robots at once, which one policy answers together."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.episode import Observation, Task, Terminated, Truncated
from agent.errors import RobotFault
from agent.evaluation import Trial
from agent.lanes import Lane, answered
from agent.moves import must_be_moves
from agent.protocols import Policy


@dataclass(slots=True)
class _Try:
    """What one lane is at."""

    task: Task
    view: Observation | None = None
    steps: int = 0


def try_beside(
    lanes: Sequence[Lane],
    policy: Policy,
    tasks: Sequence[Task],
    on_trial: Callable[[Trial], None] = lambda _: None,
    stop_wanted: Callable[[], bool] = lambda: False,
) -> tuple[Trial, ...]:
    """Attempt each task once, greedily; tries come in the order in which they end.

    The views that are there are answered in one batch. A lane stays with a task while it has start
    states left, so that scenes are built once. Stops early when asked to, and what is then under
    way is not counted. Raises RobotFault where a lane fails.
    """
    waiting = _by_name(tasks)
    trials: list[Trial] = []
    trying: dict[Lane, _Try] = {}
    for lane in lanes:
        _begin(lane, trying, waiting, "")
    while trying and not stop_wanted():
        asking = []
        for lane in answered(list(trying)):
            trial = _take(lane, trying[lane])
            if trial is None:
                asking.append(lane)
                continue
            trials.append(trial)
            on_trial(trial)
            _begin(lane, trying, waiting, trying.pop(lane).task.name)
        views = [view for lane in asking if (view := trying[lane].view) is not None]
        for lane, decision in zip(asking, policy.act(views, 0.0), strict=True):
            must_be_moves(decision)
            lane.step(decision.actions)
    return tuple(trials)


def _take(lane: Lane, now: _Try) -> Trial | None:
    """Note a lane's answer; the trial, if it ended with it."""
    told = lane.answer()
    if isinstance(told, Observation):
        now.view = told
        return None
    now.view, now.steps = told.observation, now.steps + len(told.applied)
    if told.ending is None:
        return None
    if told.ending == Truncated("stopped"):
        raise RobotFault("a robot was stopped; only one that nobody stops can be tried in parallel")
    return Trial(now.task.name, now.task.start, told.ending == Terminated("success"), now.steps)


def _begin(
    lane: Lane, trying: dict[Lane, _Try], waiting: dict[str, deque[Task]], name: str
) -> None:
    """Give a lane its next task, of the name it was at if there is one left."""
    if not waiting.get(name):
        # Where most is left to do, and nobody is at it if possible.
        busy = [now.task.name for now in trying.values()]
        free = [n for n, left in waiting.items() if left]
        if not free:
            return
        name = min(free, key=lambda n: (busy.count(n), -len(waiting[n])))
    task = waiting[name].popleft()
    trying[lane] = _Try(task)
    lane.reset(task)


def _by_name(tasks: Sequence[Task]) -> dict[str, deque[Task]]:
    waiting: dict[str, deque[Task]] = {}
    for task in tasks:
        waiting.setdefault(task.name, deque()).append(task)
    return waiting
