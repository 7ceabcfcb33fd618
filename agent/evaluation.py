"""Greedy success on chosen start states: its own path, apart from acting to learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.episode import Task, Terminated, Truncated
from agent.errors import NoMove, RobotFault
from agent.moves import must_be_moves
from agent.patience import Patience
from agent.protocols import Policy, Robot, Supervised


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
    patience: Patience | None = None,
) -> tuple[Trial, ...]:
    """Attempt each task once, greedily, in the order given; stops early when asked to.

    A try that ends in a fault is made again for as long as there is patience; by default none.
    One that was stopped says nothing of the policy: it is not counted, and made again.
    """
    patience = patience or Patience(0, 0.0)
    trials: list[Trial] = []
    while len(trials) < len(tasks) and not stop_wanted():
        if isinstance(robot, Supervised):
            robot.acting(policy.adapter, len(trials))
        try:
            trial = _try(robot, policy, tasks[len(trials)], stop_wanted)
        except (RobotFault, NoMove) as fault:
            patience.bear(fault)
            continue
        patience.relieved()
        if trial is not None:
            trials.append(trial)
            on_trial(trial)
    return tuple(trials)


def _try(robot: Robot, policy: Policy, task: Task, stop_wanted: Callable[[], bool]) -> Trial | None:
    try:
        policy.seed(task.seed)
        view = robot.reset(task)
        steps = 0
        while not stop_wanted():
            (decision,) = policy.act([view], 0.0)
            must_be_moves(decision)
            reading = robot.step(decision.actions)
            steps += len(reading.applied)
            view = reading.observation
            if reading.ending == Truncated("stopped"):
                return None
            if reading.ending is not None:
                won = isinstance(reading.ending, Terminated) and reading.ending.reason == "success"
                return Trial(task.name, task.start, won, steps)
        return None
    finally:
        robot.rest()
