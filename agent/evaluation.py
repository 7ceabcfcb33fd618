"""Greedy success on chosen start states: its own path, apart from acting to learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.episode import Task, Terminated
from agent.protocols import Policy, Robot


@dataclass(frozen=True, slots=True)
class Trial:
    """One greedy attempt at one start state."""

    task: str
    start: int
    success: bool
    control_steps: int


def try_tasks(
    robot: Robot,
    policy: Policy,
    tasks: Sequence[Task],
    on_trial: Callable[[Trial], None] = lambda _: None,
    stop_wanted: Callable[[], bool] = lambda: False,
) -> tuple[Trial, ...]:
    """Attempt each task once, greedily, in the order given; stops early when asked to."""
    trials: list[Trial] = []
    for task in tasks:
        if stop_wanted():
            break
        trial = _try(robot, policy, task)
        trials.append(trial)
        on_trial(trial)
    return tuple(trials)


def _try(robot: Robot, policy: Policy, task: Task) -> Trial:
    try:
        policy.seed(task.seed)
        view = robot.reset(task)
        steps = 0
        while True:
            (decision,) = policy.act([view], 0.0)
            reading = robot.step(decision.actions)
            steps += len(reading.applied)
            view = reading.observation
            if reading.ending is not None:
                won = isinstance(reading.ending, Terminated) and reading.ending.reason == "success"
                return Trial(task.name, task.start, won, steps)
    finally:
        robot.rest()
