"""Recorded episodes in which every call of policy and robot is timed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.episode import (
    Action,
    Decision,
    Observation,
    Reading,
    RobotCard,
    ScoredEpisode,
    Task,
    TaskCard,
)
from agent.protocols import Policy, Robot
from agent.reward.outcome import OutcomeJudge
from agent.rollout import run_episode
from agent.store.run import create_run
from agent.store.zarr_store import ZarrStore
from benchmarks.stopwatch import Spent


@dataclass(frozen=True, slots=True)
class Lap:
    """One decision: seconds in the policy, in the robot, and between them, where the agent is.

    between_s: from the policy's answer to the robot, and from the robot's to the policy's next
    question: the recorded step and the loop. The last decision of an episode has no lap.
    between_cpu_s: of it, what this thread truly worked.
    """

    control_steps: int
    policy_s: float
    robot_s: float
    between_s: float
    between_cpu_s: float


def record(
    policy: Policy, attempts: Sequence[tuple[Robot, Task]], folder: Path
) -> tuple[list[ScoredEpisode], list[Lap]]:
    """Run and seal one episode an attempt in the Zarr store of a new run, at temperature 1."""
    run = folder / "run"
    create_run(run, {}, {})
    store = ZarrStore(run)
    store.open()
    episodes: list[ScoredEpisode] = []
    laps: list[Lap] = []
    judge = OutcomeJudge()
    try:
        for number, (robot, task) in enumerate(attempts):
            policy.seed(number)
            clock = _Clock([])
            recording = store.begin(task, policy.adapter, 1.0)
            episode = run_episode(
                _TimedRobot(robot, clock), _TimedPolicy(policy, clock), recording, task, 1.0
            )
            signal = judge.score(episode)
            recording.seal(signal)
            episodes.append(ScoredEpisode(episode, signal))
            laps += clock.laps([len(step.applied) for step in episode.steps])
    finally:
        store.close()
    return episodes, laps


@dataclass(frozen=True, slots=True)
class _Clock:
    """Moments in the order they came: policy asked, answered, robot asked, answered, ..."""

    moments: list[Spent]

    def note(self) -> None:
        self.moments.append(Spent(time.perf_counter(), time.thread_time()))

    def laps(self, control_steps: Sequence[int]) -> list[Lap]:
        starts = range(0, len(self.moments) - 4, 4)
        return [
            self._lap(first, steps) for first, steps in zip(starts, control_steps, strict=False)
        ]

    def _lap(self, first: int, steps: int) -> Lap:
        asked, answered, told, done, asked_again = self.moments[first : first + 5]
        return Lap(
            control_steps=steps,
            policy_s=answered.wall_s - asked.wall_s,
            robot_s=done.wall_s - told.wall_s,
            between_s=(told.wall_s - answered.wall_s) + (asked_again.wall_s - done.wall_s),
            between_cpu_s=(told.cpu_s - answered.cpu_s) + (asked_again.cpu_s - done.cpu_s),
        )


class _TimedPolicy:
    def __init__(self, policy: Policy, clock: _Clock) -> None:
        self._policy, self._clock = policy, clock

    @property
    def adapter(self) -> str:
        return self._policy.adapter

    def seed(self, seed: int) -> None:
        self._policy.seed(seed)

    def act(self, views: Sequence[Observation], temperature: float) -> tuple[Decision, ...]:
        self._clock.note()
        decisions = self._policy.act(views, temperature)
        self._clock.note()
        return decisions


class _TimedRobot:
    def __init__(self, robot: Robot, clock: _Clock) -> None:
        self._robot, self._clock = robot, clock

    @property
    def card(self) -> RobotCard:
        return self._robot.card

    def tasks(self) -> tuple[TaskCard, ...]:
        return self._robot.tasks()

    def reset(self, task: Task) -> Observation:
        return self._robot.reset(task)

    def step(self, actions: Sequence[Action]) -> Reading:
        self._clock.note()
        reading = self._robot.step(actions)
        self._clock.note()
        return reading

    def rest(self) -> None:
        self._robot.rest()

    def close(self) -> None:
        self._robot.close()
