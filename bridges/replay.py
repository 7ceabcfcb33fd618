"""A recorded episode behind the Robot seam: it shows what was seen, whatever is asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from agent.clock import now_s
from agent.episode import (
    Action,
    Ending,
    Episode,
    Float32Array,
    Observation,
    Reading,
    RobotCard,
    Task,
    TaskCard,
    Truncated,
)
from agent.errors import DataError, UsageError
from agent.moves import within


class ReplayRobot:
    """Walks through an episode, one control step for each action.

    `Reading.applied` and `track` are as recorded; `executed` is True where what is asked is what
    was carried out then. Pictures were recorded at decisions alone: in between the last
    one is shown again, with the proprioception of the moment.
    card: of the robot that played the episode. Raises DataError where the two do not fit.
    """

    def __init__(self, episode: Episode, card: RobotCard) -> None:
        views = [*(step.observation for step in episode.steps), episode.last]
        if not episode.steps or any(
            tuple(view.images) != card.cameras or view.proprio.shape != (len(card.proprio),)
            for view in views
        ):
            raise DataError(
                f"episode {episode.id} with cameras {card.cameras} and {len(card.proprio)} numbers "
                f"of proprioception wanted, found {tuple(views[0].images)} and "
                f"{views[0].proprio.shape}; give the card of the robot that played it"
            )
        self._episode, self._card = episode, card
        self._applied = [action for step in episode.steps for action in step.applied]
        self._track = np.concatenate([step.track for step in episode.steps])
        # The view that came after so many control steps.
        ends = np.cumsum([0, *(len(step.applied) for step in episode.steps)])
        self._views = {int(end): view for end, view in zip(ends, views, strict=True)}
        self._task: Task | None = None
        self._at = 0

    @property
    def card(self) -> RobotCard:
        """What the robot was."""
        return self._card

    def tasks(self) -> tuple[TaskCard, ...]:
        """The episode's own task and start state."""
        task = self._episode.task
        card = TaskCard(task.name, task.instruction, task.horizon_steps, (task.start,), (), ())
        return (card,)

    def reset(self, task: Task) -> Observation:
        """Begin anew. Raises UsageError for any task but the episode's own."""
        own = self._episode.task
        if (task.name, task.start) != (own.name, own.start):
            raise UsageError(
                f"task {own.name!r} from start {own.start} wanted, the only one in episode "
                f"{self._episode.id}; found {task.name!r} from {task.start}"
            )
        if task.horizon_steps < 1:
            raise UsageError(f"a horizon of 1 step or more wanted, found {task.horizon_steps}")
        self._task, self._at = task, 0
        return self._view()

    def step(self, actions: Sequence[Action]) -> Reading:
        """Show what came next, one control step for each action, up to the episode's ending."""
        task = self._task
        if task is None:
            raise UsageError("an episode under way wanted, found none; call reset first")
        moves = tuple(within(action) for action in actions)
        if not moves:
            raise UsageError("one action or more wanted, found none")
        begun = self._at
        self._at = min(begun + len(moves), len(self._applied), task.horizon_steps)
        applied = tuple(self._applied[begun : self._at])
        executed = np.zeros(len(moves), np.bool_)
        for number, (asked, done) in enumerate(zip(actions, applied, strict=False)):
            executed[number] = _same(asked, done)
        ending = self._ending(task)
        view = self._view()
        if ending is not None:
            self._task = None
        return Reading(view, applied, executed, self._track[begun : self._at], ending)

    def rest(self) -> None:
        """End the episode; nothing moves in a replay."""
        self._task = None

    def close(self) -> None:
        """Nothing is held. May be called twice."""
        self.rest()

    def _ending(self, task: Task) -> Ending | None:
        if self._at >= len(self._applied):
            return self._episode.ending
        return Truncated("timeout") if self._at >= task.horizon_steps else None

    def _view(self) -> Observation:
        seen_at = max(end for end in self._views if end <= self._at)
        view = self._views[seen_at]
        proprio: Float32Array = view.proprio if seen_at == self._at else self._track[self._at - 1]
        return replace(view, proprio=proprio, time_s=now_s())


def _same(asked: Action, done: Action) -> bool:
    return np.array_equal(asked.delta, done.delta) and asked.gripper == done.gripper
