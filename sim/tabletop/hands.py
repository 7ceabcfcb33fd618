"""Unsteady hands: random actions in bursts, so that recoveries get into the demonstrations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.episode import Action, Observation, Reading, RobotCard, Task, TaskCard
from agent.errors import UsageError
from agent.protocols import Robot

_BURST_STEPS = 3  # mean length; a single random step is hardly felt by a slow arm


class NoisyHands:
    """A robot that replaces a share of the requested actions with random ones.

    fraction: share of control steps replaced, in bursts of 3 on average (a two-state Markov chain).
    What was done instead is in `Reading.applied`, with `executed` False.
    A burst keeps one direction, and turns the gripper round in one of four.
    """

    def __init__(self, robot: Robot, fraction: float, seed: int) -> None:
        if not 0.0 <= fraction <= 0.7:
            raise UsageError(f"a fraction of 0 to 0.7 random actions wanted, found {fraction}")
        self._inner = robot
        self._seed = seed
        self._leave = 1.0 / _BURST_STEPS
        # In the long run p_in / (p_in + p_out) of the steps lie in a burst.
        self._enter = self._leave * fraction / (1.0 - fraction)
        self._rng = np.random.default_rng(seed)
        self._burst: Action | None = None
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
        self._rng = np.random.default_rng([self._seed, task.seed, task.start])
        self._burst, self._flip = None, False
        return self._inner.reset(task)

    def step(self, actions: Sequence[Action]) -> Reading:
        """Step the inner robot with some of the actions replaced."""
        done = tuple(self._unsteady(action) for action in actions)
        reading = self._inner.step(done)
        own = np.array([a is b for a, b in zip(actions, done, strict=True)])
        return Reading(
            reading.observation,
            reading.applied,
            reading.executed & own,
            reading.track,
            reading.ending,
        )

    def rest(self) -> None:
        """Rest the inner robot."""
        self._inner.rest()

    def close(self) -> None:
        """Close the inner robot."""
        self._inner.close()

    def _unsteady(self, action: Action) -> Action:
        rng = self._rng
        if self._burst is None:
            if rng.random() < self._enter:
                delta = np.concatenate([rng.uniform(-0.8, 0.8, 3), rng.uniform(-0.1, 0.1, 3)])
                self._burst = Action(delta.astype(np.float32), action.gripper)
                self._flip = bool(rng.random() < 0.25)
        elif rng.random() < self._leave:
            self._burst = None
        if self._burst is None:
            return action
        opening = 1.0 - action.gripper if self._flip else action.gripper
        return Action(self._burst.delta, opening)
