"""A Franka behind the Robot seam: ROS 2, a guard in another process, and a person beside it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from agent.clock import now_s
from agent.episode import (
    NO_LIMIT,
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
from agent.errors import Interrupted, RobotFault, UsageError, VlarlError
from agent.moves import within
from agent.settings import RobotSettings
from bridges.driving import Came
from bridges.readying import BY_A_PERSON, PERSON_S, stopped
from bridges.tasks import card_of, must_be_of
from bridges.wire import Answer, Kind, State
from bridges.working import Workings
from calibration.complaints import ProfileError
from calibration.profile import load

log = logging.getLogger(__name__)

DEFAULT_PROFILE = "franka"
_LOOK_S = 0.05
_STOPPED = (State.DISARMED, State.HOLD, State.FAULT)
_STOP_WORDS: dict[str, Ending] = {
    "success": Terminated("success"),
    "failure": Terminated("fault"),
    "stop": Truncated("stopped"),
}


@dataclass(slots=True)
class _Run:
    """What one episode needs to remember."""

    task: Task
    opening: float  # last commanded
    begun: bool = False
    steps: int = 0
    ending: Ending | None = None
    paused: bool = False


class FrankaArm:
    """An arm driven through topics; every move passes the guard, and a person may end it all.

    settings.task is the instruction, in free words; settings.profile names the cell.
    An operator's word "failure" ends an episode as Terminated("fault"), "stop" as stopped.
    """

    def __init__(self, settings: RobotSettings) -> None:
        self._settings = settings
        try:
            self._profile = load(settings.profile or DEFAULT_PROFILE)
        except ProfileError as error:
            raise UsageError(str(error)) from error
        self._stop_wanted: Callable[[], bool] = lambda: False
        self._run: _Run | None = None
        self._works = Workings(self._profile)

    @property
    def card(self) -> RobotCard:
        """What this robot is."""
        profile = self._profile
        return RobotCard(
            name=profile.name,
            cameras=tuple(camera.name for camera in profile.cameras),
            proprio=profile.proprio.names,
            control_hz=profile.rates.control_hz,
            full_scale=profile.scale.full_scale,
        )

    def tasks(self) -> tuple[TaskCard, ...]:
        """The one task that the settings tell in words; its starts are labels of laid scenes."""
        return (card_of(self._settings),)

    def acting(self, adapter: str, episodes: int) -> None:
        """Note who acts from the next reset on, and how many episodes that adapter has had."""
        self._works.guard.adapter, self._works.guard.episode = adapter, episodes

    def heed(self, stop_wanted: Callable[[], bool]) -> None:
        """Give up waiting for anyone, raising Interrupted, once `stop_wanted` says True."""
        self._stop_wanted = stop_wanted

    def heard(self) -> tuple[str, ...]:
        """Words said since this was asked last, by keys or on the operator's topic."""
        return self._works.operator.words()

    def attend(self, *, keys: bool) -> None:
        """Take keys as words of the operator, or leave them to whoever asks questions."""
        self._works.operator.attend(keys=keys)

    def reset(self, task: Task) -> Observation:
        """Bring arm and scene to the task's start, and look.

        A simulated arm is put there; else the arm goes home and a person lays the scene.
        Raises UsageError for an unknown task or start, RobotFault and SafetyStop for the rest.
        """
        must_be_of(card_of(self._settings), task)
        self.rest()
        try:
            return self._reset(task)
        except BaseException:
            self.rest()
            raise

    def step(self, actions: Sequence[Action]) -> Reading:
        """Carry out the actions one control step each, up to an ending, and look.

        After a person's hold the rest of them is left out: the world has moved on.
        Raises UsageError before any motion for a bad action or where no episode is under way;
        RobotFault and SafetyStop with the arm at rest.
        """
        run = self._run
        if run is None or run.ending is not None:
            raise UsageError("an episode under way wanted, found none; call reset first")
        moves = tuple(within(action) for action in actions)
        if not moves:
            raise UsageError("one action or more wanted, found none")
        try:
            return self._step(run, moves, actions)
        except BaseException:
            self.rest()
            raise

    def rest(self) -> None:
        """End the episode: the guard lets nothing move until the next one. Never raises."""
        self._run = None
        self._works.rest()

    def close(self) -> None:
        """Rest and leave the graph. May be called twice."""
        self.rest()
        self._works.close()

    def _reset(self, task: Task) -> Observation:
        works = self._works
        works.wake(self._pause)
        works.lay(task, self._pause)
        laid_s = now_s()
        felt = works.settle(self._pause)
        run = _Run(task, 1.0 if felt.opening >= 0.5 else 0.0)
        view = works.views.look(task.instruction, run.opening, laid_s).observation
        works.operator.words()  # what was said before this episode is not about it
        works.drive.anew()
        self._run = run
        return view

    def _step(self, run: _Run, moves: tuple[Action, ...], asked: Sequence[Action]) -> Reading:
        works = self._works
        if not run.begun:
            answer = works.guard.ask(Kind.BEGIN)
            if answer.state is not State.RUNNING:
                # Its answer says what BEGIN wants; its state says why that is not so.
                raise stopped(works.guard.state() if answer.state in _STOPPED else answer)
            run.begun = works.beating = True
        came: list[Came] = []
        track = []
        run.paused = False
        for action in moves:
            done = self._still(run) if run.paused else works.drive.step(action)
            run.steps += 1
            run.opening = action.gripper
            came.append(done)
            track.append(works.senses.proprio(done.felt, run.opening))
            run.ending = self._ending(run, done)
            if run.ending is not None:
                break
        ended_s = now_s()
        half_s = 0.5 / self._profile.rates.control_hz
        view = works.views.look(run.task.instruction, run.opening, ended_s - half_s).observation
        executed = np.zeros(len(moves), np.bool_)
        limits = NO_LIMIT
        for number, done in enumerate(came):
            executed[number] = done.unchanged and moves[number] is asked[number]
            limits |= done.limits
        return Reading(
            observation=view,
            applied=tuple(done.applied for done in came),
            executed=executed,
            track=np.stack(track),
            ending=run.ending,
            sent_s=came[0].sent_s,
            applied_s=came[0].applied_s,
            limits=limits,
            by_hand=any(done.by_hand for done in came),
        )

    def _still(self, run: _Run) -> Came:
        """No move at all, in the stead of an action that a person's hold overtook."""
        nothing = Action(np.zeros(6, np.float32), run.opening)
        return Came(nothing, unchanged=False, felt=self._works.senses.now())

    def _ending(self, run: _Run, done: Came) -> Ending | None:
        """How the episode ends after a control step, or None; waits out a person's hold."""
        self._works.views.check()
        ending = Truncated("stopped") if self._stop_wanted() else self._said()
        if ending is None and done.stopped is not None:
            if BY_A_PERSON not in done.stopped.reason:
                raise self._why(done.stopped)
            ending = self._hold_out(run)
        if ending is not None:
            return ending
        return Truncated("timeout") if run.steps >= run.task.horizon_steps else None

    def _said(self) -> Ending | None:
        return next(
            (_STOP_WORDS[word] for word in self._works.operator.words() if word in _STOP_WORDS),
            None,
        )

    def _hold_out(self, run: _Run) -> Ending | None:
        """Wait until a person resumes or ends the episode. Raises RobotFault after ten minutes."""
        run.paused = True
        log.warning("held by a person: r resumes, x stops, s and f end the episode")
        ends_s = now_s() + PERSON_S
        while now_s() < ends_s:
            ending = self._said()
            if ending is not None:
                return ending
            answer = self._works.guard.state()
            if answer.state is State.RUNNING:
                self._works.drive.anew()
                return None
            if answer.state is not State.HOLD:
                raise stopped(answer)
            self._pause(_LOOK_S)
        raise RobotFault(f"a person to lift the hold wanted, nobody came in {PERSON_S:.0f} s")

    def _why(self, answer: Answer) -> VlarlError:
        """Why the guard stopped: where the arm's state or a camera is lost, that says it better."""
        limit_s = max(self._profile.freshness.joints_s, self._profile.freshness.pose_s)
        time.sleep(limit_s)
        try:
            self._works.senses.now()
            self._works.views.check()
        except RobotFault as fault:
            return fault
        return stopped(answer)

    def _pause(self, seconds: float) -> None:
        """Wait a little, unless nobody wants the episode any more."""
        if self._stop_wanted():
            raise Interrupted("waiting for the arm was interrupted")
        time.sleep(seconds)
