"""The arm's own time: commands in, the body moved tick by tick, what it feels handed on."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

from agent import clock
from agent.errors import RobotFault
from sim.franka.body import TICK_S, Body, Sight
from sim.franka.faults import Faults
from sim.franka.pose import Felt, Pose, towards
from sim.franka.track import Track
from sim.tabletop.catalog import HELD_STEPS

log = logging.getLogger(__name__)
Result = TypeVar("Result")

_JUDGED_EVERY = 10  # ticks: a goal is judged as often as the embedded robot does
_TRACED_EVERY = 2
_HOME_M_S, _HOME_RAD_S = 0.2, 0.8
_SLIP_S = 0.1  # further behind than this, lost time is let go
_ANSWER_S = 5.0


@dataclass(frozen=True, slots=True)
class Moment:
    """The world at one tick. wall_s: seconds since the epoch."""

    wall_s: float
    felt: Felt
    sight: Sight


class Loop:
    """Runs a body in real time in a thread of its own; nobody else touches the body meanwhile."""

    def __init__(
        self, body: Body, tell: Callable[[Moment], None], success: Callable[[], None]
    ) -> None:
        self.track = Track(TICK_S * _TRACED_EVERY)
        self.met = False  # since the last reset
        self.error: BaseException | None = None
        self._body, self._tell, self._success = body, tell, success
        self._faults = Faults()
        self._commands: deque[tuple[str, Pose | float]] = deque(maxlen=1000)
        self._asked: deque[Callable[[], None]] = deque()
        self._homing = False
        self._setpoint = body.home
        self._met_in_a_row = self._ticks = 0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="arm", daemon=True)
        self._ended: Callable[[], None] = lambda: None
        self.moment = self._now()

    def start(self, ended: Callable[[], None]) -> None:
        """Begin to live. ended: called when the loop died of an error, left in `error`."""
        self._ended = ended
        self._thread.start()

    def close(self) -> None:
        """Stop living. May be called twice."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def follow(self, target: Pose) -> None:
        """Take a target at the next tick."""
        self._commands.append(("follow", target))

    def grip(self, opening: float) -> None:
        """Take an opening at the next tick."""
        self._commands.append(("grip", opening))

    def go_home(self) -> None:
        """Drive home slowly; the next target ends it."""
        self._commands.append(("home", 0.0))

    def reset(self, task: str, start: int, seed: int) -> None:
        """Put the body at a start state. Raises UsageError for an unknown one."""
        self._ask(lambda: self._reset(task, start, seed))

    def put(self, faults: Faults, text: str) -> None:
        """Let these faults be in force, and no other."""
        self._ask(lambda: self._put(faults, text))

    @property
    def faults(self) -> Faults:
        """Those in force."""
        return self._faults

    def _ask(self, work: Callable[[], Result]) -> Result:
        """Have the loop's thread do something between two ticks. Raises what it raises."""
        future: Future[Result] = Future()

        def answer() -> None:
            try:
                future.set_result(work())
            except Exception as error:
                future.set_exception(error)

        self._asked.append(answer)
        try:
            return future.result(_ANSWER_S)
        except TimeoutError:
            raise RobotFault(
                f"an answer of the simulated arm within {_ANSWER_S:g} s wanted, found none"
            ) from None

    def _reset(self, task: str, start: int, seed: int) -> None:
        self._body.reset(task, start, seed)
        self._commands.clear()
        self._homing = self.met = False
        self._met_in_a_row = 0
        self._setpoint = self._body.home
        self.moment = self._now()

    def _put(self, faults: Faults, text: str) -> None:
        stops = bool(faults.mode) and not self._faults.mode
        self._faults = faults
        self.track.fault(clock.now_s(), text)
        if stops:
            self._body.stop()
            self._homing = False

    def _now(self) -> Moment:
        return Moment(time.time(), self._body.felt(), self._body.sight())

    def _run(self) -> None:
        due = clock.now_s()
        try:
            while not self._ending.is_set():
                while self._asked:
                    self._asked.popleft()()
                self._tick()
                due += TICK_S
                ahead = due - clock.now_s()
                if ahead > 0:
                    time.sleep(ahead)
                elif -ahead > _SLIP_S:
                    due = clock.now_s()
        except BaseException as error:
            log.exception("the simulated arm's loop died")
            self.error = error
            self._ended()

    def _tick(self) -> None:
        self._hear()
        self._body.tick()
        self.moment = self._now()
        felt = self.moment.felt
        self._ticks += 1
        if self._ticks % _TRACED_EVERY == 0:
            self.track.note(clock.now_s(), felt.pose.position, felt.opening)
        self._judge()
        self._tell(self.moment)

    def _hear(self) -> None:
        deaf = bool(self._faults.mode) or self._faults.has("commands_ignored")
        while self._commands:
            what, value = self._commands.popleft()
            if deaf:
                continue
            if isinstance(value, Pose):
                self._homing = False
                self._body.follow(value)
            elif what == "grip":
                self._body.grip(value)
            else:
                self._homing, self._setpoint = True, self._body.felt().pose
        if self._homing and not deaf:
            self._setpoint = towards(
                self._setpoint, self._body.home, _HOME_M_S * TICK_S, _HOME_RAD_S * TICK_S
            )
            self._body.follow(self._setpoint)

    def _judge(self) -> None:
        if self.met or self._ticks % _JUDGED_EVERY:
            return
        self._met_in_a_row = self._met_in_a_row + 1 if self._body.met() else 0
        if self._met_in_a_row >= HELD_STEPS:
            self.met = True
            self._success()
