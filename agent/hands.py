"""Robots whose hands do something else than they are told; what was asked is still recorded.

Recording an expert's answers on the states another policy visits is DAgger (Ross et al. 2011);
on states reached by random bursts it is noise injection, so that recoveries are demonstrated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from agent.episode import Action, Observation, Reading, RobotCard, Task, TaskCard
from agent.errors import UsageError
from agent.protocols import Policy, Robot

_LONGEST_BURST = 5  # control steps; a single random step is hardly felt by a slow arm


class BorrowedHands:
    """Wraps a robot; in some episodes a policy moves it instead of whoever asks.

    share: how many of the episodes the policy drives, 0 .. 1, drawn from `seed` and the task.
    """

    def __init__(
        self, inner: Robot, driver: Policy, share: float, temperature: float, seed: int
    ) -> None:
        self.inner = inner
        self._driver, self._share, self._seed = driver, share, seed
        self._temperature = temperature
        self._view: Observation | None = None
        self._queue: list[Action] = []
        self._driving = False

    @property
    def card(self) -> RobotCard:
        """The inner robot's."""
        return self.inner.card

    def tasks(self) -> tuple[TaskCard, ...]:
        """The inner robot's."""
        return self.inner.tasks()

    def reset(self, task: Task) -> Observation:
        """Reset, and draw who drives this episode."""
        draw = np.random.default_rng((self._seed, task.start, task.seed))
        self._driving = bool(draw.random() < self._share)
        self._driver.seed(int(draw.integers(2**31)))
        self._queue = []
        self._view = self.inner.reset(task)
        return self._view

    def step(self, actions: Sequence[Action]) -> Reading:
        """Carry out the driver's next action for each one asked; `executed` is then False."""
        if not self._driving or self._view is None:
            return self.inner.step(actions)
        mine = [self._next() for _ in actions]
        reading = self.inner.step(mine)
        self._view = reading.observation
        executed = np.zeros(len(actions), np.bool_)
        return replace(reading, executed=executed)

    def rest(self) -> None:
        """Rest the inner robot."""
        self.inner.rest()

    def close(self) -> None:
        """Close the inner robot."""
        self.inner.close()

    def _next(self) -> Action:
        if not self._queue and self._view is not None:
            (decision,) = self._driver.act([self._view], self._temperature)
            self._queue = list(decision.actions)
        return self._queue.pop(0)


class NoisyHands:
    """A robot that replaces a share of the requested actions with random ones.

    fraction: share of control steps replaced on average, in bursts of 1 to 5 steps.
    What was done instead is in `Reading.applied`, with `executed` False.
    A burst keeps one direction; one burst in four also turns the gripper round.
    """

    def __init__(self, robot: Robot, fraction: float, seed: int) -> None:
        if not 0.0 <= fraction <= 0.9:
            raise UsageError(f"a fraction of 0 to 0.9 random actions wanted, found {fraction}")
        if seed < 0:
            raise UsageError(f"a seed of 0 or more wanted, found {seed}")
        self._inner = robot
        self._seed = seed
        # A burst of b steps on average, then (1 - e) / e steps without, gives this share.
        burst = 0.5 * (1 + _LONGEST_BURST)
        self._enter = fraction / (fraction + burst * (1.0 - fraction))
        self._rng = np.random.default_rng(seed)
        self._left = 0  # steps of the burst under way
        self._delta = np.zeros(6, np.float32)
        self._flip = False

    @property
    def inner(self) -> Robot:
        """The robot behind the hands."""
        return self._inner

    @property
    def card(self) -> RobotCard:
        """The inner robot's card."""
        return self._inner.card

    def tasks(self) -> tuple[TaskCard, ...]:
        """The inner robot's tasks."""
        return self._inner.tasks()

    def reset(self, task: Task) -> Observation:
        """Reset the inner robot; the noise depends on the seeds and the start state alone."""
        view = self._inner.reset(task)
        self._rng = np.random.default_rng([self._seed, task.seed, task.start])
        self._left, self._flip = 0, False
        return view

    def step(self, actions: Sequence[Action]) -> Reading:
        """Step the inner robot with some of the actions replaced."""
        done = tuple(self._unsteady(action) for action in actions)
        reading = self._inner.step(done)
        own = np.array([a is b for a, b in zip(actions, done, strict=True)])
        return replace(reading, executed=reading.executed & own)

    def rest(self) -> None:
        """Rest the inner robot."""
        self._inner.rest()

    def close(self) -> None:
        """Close the inner robot."""
        self._inner.close()

    def _unsteady(self, action: Action) -> Action:
        rng = self._rng
        if self._left == 0 and rng.random() < self._enter:
            self._left = int(rng.integers(1, _LONGEST_BURST + 1))
            delta = np.concatenate([rng.uniform(-0.8, 0.8, 3), rng.uniform(-0.1, 0.1, 3)])
            self._delta = delta.astype(np.float32)
            self._flip = bool(rng.random() < 0.25)
        if self._left == 0:
            return action
        self._left -= 1
        opening = 1.0 - action.gripper if self._flip else action.gripper
        return Action(self._delta, opening)
