"""A real little robot for tests: a point on a line that must move to the right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.episode import (
    Action,
    Ending,
    Observation,
    Reading,
    RobotCard,
    Task,
    TaskCard,
    Terminated,
    Truncated,
)
from agent.settings import RobotSettings

PX = 32


class PointRobot:
    """Success: x beyond 0.05 after one decision's moves. Starts differ in brightness alone."""

    def __init__(self, settings: RobotSettings) -> None:
        self._gain = settings.shift.get("gain", 1.0)
        self._task: Task | None = None
        self._x = 0.0
        self._steps = 0
        self.rests = 0

    @property
    def card(self) -> RobotCard:
        return RobotCard("point", ("agentview", "wrist"), ("x", "y", "z"), 10.0, (0.1,) * 6)

    def tasks(self) -> tuple[TaskCard, ...]:
        return (TaskCard("go-right", "go right", 4, tuple(range(8)), (8, 9), tuple(range(10, 20))),)

    def reset(self, task: Task) -> Observation:
        self._task, self._x, self._steps = task, 0.0, 0
        return self._look(task)

    def step(self, actions: Sequence[Action]) -> Reading:
        task = self._task
        assert task is not None
        track: list[np.ndarray] = []
        ending: Ending | None = None
        for action in actions:
            self._x += 0.1 * self._gain * float(action.delta[0])
            self._steps += 1
            track.append(self._felt())
            if self._x > 0.05:
                ending = Terminated("success")
            elif self._steps >= task.horizon_steps:
                ending = Truncated("timeout")
            if ending:
                break
        executed = np.arange(len(actions)) < len(track)
        return Reading(
            self._look(task), tuple(actions[: len(track)]), executed, np.stack(track), ending
        )

    def rest(self) -> None:
        self.rests += 1

    def close(self) -> None:
        self.rest()

    def _felt(self) -> np.ndarray:
        return np.array([self._x, 0.0, 0.0], np.float32)

    def _look(self, task: Task) -> Observation:
        shade = np.full((PX, PX, 3), 10 * task.start, np.uint8)
        return Observation(
            {"agentview": shade, "wrist": shade}, self._felt(), task.instruction, float(self._steps)
        )
