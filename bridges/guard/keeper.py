"""The guard without its ROS: requests, words and time go in; targets and answers come out."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from agent.episode import NO_LIMIT, Limit
from agent.errors import DataError
from bridges.guard.answers import answer_of, setpoint
from bridges.guard.arm import Arm, Mode, alarm, obstacle, unseen
from bridges.guard.bounds import Bounds
from bridges.guard.command import Command, Held
from bridges.guard.envelope import at_rest, hold, lateness
from bridges.guard.homing import is_there, next_pose
from bridges.guard.state import Event, Machine, Tempo, What, after, refusal, too_early
from bridges.pose import Pose
from bridges.wire import UNASKED, Answer, Kind, Request, State, read_request

# A person's words, as on the operator topic and by the services.
WORDS = {
    "arm": What.ARM, "disarm": What.DISARM, "hold": What.HOLD, "stop": What.HOLD,
    "resume": What.RESUME, "clear": What.CLEAR, "take": What.TAKE, "release": What.RELEASE,
}  # fmt: skip
_BY_PROGRAM = (Kind.ARM, Kind.CLEAR, Kind.RESUME)
_HOME_S = 30.0
# Ticks may come oftener than setpoints.
_TOO_SOON = 0.9


@dataclass(frozen=True, slots=True)
class Reply:
    """What to do now: publish the target first, then the answers with its time.

    target: None to publish nothing. hold: it is where the arm is, and the gripper stays.
    why: why a word or request was not followed, "" where it was.
    """

    target: Command | None = None
    hold: bool = False
    answers: tuple[Answer, ...] = ()
    why: str = ""


@dataclass(slots=True)
class _Home:
    """A way home under way. sequence: of the request for it, UNASKED where a person wants it."""

    sequence: int
    received_s: float
    ends_s: float
    heard_s: float  # the agent, last


class Keeper:
    """Keeps the machine and the last target of one arm. Nothing here waits, and nothing is lost."""

    def __init__(self, bounds: Bounds, tempo: Tempo, home: Pose, *, simulated: bool) -> None:
        self._bounds, self._tempo, self._home = bounds, tempo, home
        self._simulated = simulated
        self._machine = Machine()
        self._last: Command | None = None
        self._begun: Request | None = None
        self._sequence = -math.inf
        self._homing: _Home | None = None
        self.counts: Counter[str] = Counter()

    @property
    def machine(self) -> Machine:
        """The state as it is."""
        return self._machine

    @property
    def needs_agent(self) -> bool:
        """Whether an agent moves the arm now."""
        return self._machine.state is State.RUNNING and self._homing is None

    def request(self, text: str, arm: Arm, now_s: float) -> Reply:
        """Answer one message of the agent; every readable one gets exactly one answer."""
        before = self._machine
        self._look(arm, now_s)
        try:
            asked = read_request(text)
        except DataError as error:
            self.counts["unreadable"] += 1
            self._tell(What.BAD, now_s, f"unreadable request: {error}")
            return self._reply(before, arm, now_s, UNASKED, why=str(error))
        self.counts[asked.kind] += 1
        if self._homing is not None:
            self._homing.heard_s = now_s
        if asked.kind is Kind.MOVE:
            return self._move(asked, before, arm, now_s)
        if asked.kind is Kind.HOME:
            return self._start_home(asked.sequence, before, arm, now_s)
        why = self._obey(asked, before, arm, now_s)
        return self._reply(before, arm, now_s, asked.sequence, why=why)

    def word(self, word: str, arm: Arm, now_s: float) -> Reply:
        """Follow a person's word; `why` says where it cannot be followed."""
        before = self._machine
        self._look(arm, now_s)
        if word == "home":
            return self._start_home(UNASKED, before, arm, now_s)
        what = WORDS.get(word)
        if what is None:
            return self._reply(before, arm, now_s, UNASKED)
        speaks_against = obstacle(arm, self._bounds, now_s)
        why = too_early(what, before, self._machine)
        why = why or self._tell(what, now_s, f"{word} by a person", speaks_against)
        return self._reply(before, arm, now_s, UNASKED, why=why)

    def tick(self, arm: Arm, now_s: float) -> Reply:
        """Let time pass; told once a setpoint period or oftener."""
        before = self._machine
        self._look(arm, now_s)
        if self._homing is not None and self._machine.state is State.RUNNING:
            return self._go_home(self._homing, before, arm, now_s)
        return self._reply(before, arm, now_s, UNASKED)

    def lost(self, why: str, arm: Arm, now_s: float) -> Reply:
        """The agent is gone, or this process is about to be."""
        before = self._machine
        self._tell(What.HEARTBEAT_LOST, now_s, why)
        return self._reply(before, arm, now_s, UNASKED)

    def _look(self, arm: Arm, now_s: float) -> None:
        """Take note of the arm and of the time."""
        sounding = alarm(arm)
        if sounding is not None:
            self._tell(sounding[0], now_s, sounding[1])
        if arm.mode is Mode.GUIDING:
            self._tell(What.TAKE, now_s, "the arm is being guided")
        stale = unseen(arm, self._bounds, now_s)
        self._tell(What.STALE if stale else What.TICK, now_s, stale)

    def _tell(self, what: What, now_s: float, why: str = "", obstacle: str = "") -> str:
        """Tell the machine; why it would not, "" where it did."""
        event = Event(what, now_s, why, obstacle)
        no = refusal(self._machine, event)
        before, self._machine = self._machine, after(self._machine, event, self._tempo)
        if (before.state, before.by_hand) != (self._machine.state, self._machine.by_hand):
            # Whatever moves next begins where the arm then is.
            self._last = None
        return no

    def _obey(self, asked: Request, before: Machine, arm: Arm, now_s: float) -> str:
        """Follow a request that is no motion; why not, "" where it was followed."""
        speaks_against = obstacle(arm, self._bounds, now_s)
        what = What[asked.kind.name]
        if asked.kind in _BY_PROGRAM:
            if not (self._simulated and arm.simulated) or self._machine.person:
                return f"a person has to {asked.kind} here"
            early = too_early(what, before, self._machine)
            return early or self._tell(what, now_s, "by the program", speaks_against)
        self._sequence = max(self._sequence, asked.sequence)
        if what is What.BEGIN:
            why = lateness(asked, now_s) or self._tell(what, now_s, obstacle=speaks_against)
            if not why:
                self._begun, self._sequence = asked, asked.sequence
            return why
        event = Event(what, now_s, next_s=asked.next_s)
        self._machine = after(self._machine, event, self._tempo)
        return ""

    def _move(self, asked: Request, before: Machine, arm: Arm, now_s: float) -> Reply:
        """Hold a setpoint to the envelope, where the state allows any motion."""
        held = self._judged(asked, arm, now_s)
        if held is not None and held.stop:
            self._tell(What.BAD, now_s, held.refused or "")
        elif held is not None:
            slowed = asked.episode < self._bounds.slowed_episodes
            was_held = _was_held(held, slowed=slowed)
            event = Event(What.MOVE, now_s, next_s=asked.next_s, held=was_held)
            self._machine = after(self._machine, event, self._tempo)
            self._count(held)
        else:
            # Not looked at, but a sign of life.
            beat = Event(What.BEAT, now_s, next_s=asked.next_s)
            self._machine = after(self._machine, beat, self._tempo)
        if held is None or held.command is None or self._machine.state is not State.RUNNING:
            limits = held.limits if held else NO_LIMIT
            why = (held and held.refused) or self._why_not(asked)
            return self._reply(before, arm, now_s, asked.sequence, why, limits)
        self._last = held.command
        answer = answer_of(self._machine, asked.sequence, now_s, "", held.limits, held.command)
        return Reply(held.command, answers=(answer,))

    def _judged(self, asked: Request, arm: Arm, now_s: float) -> Held | None:
        """What the envelope makes of a setpoint; None where the state allows no motion at all."""
        machine, begun = self._machine, self._begun
        if machine.state is not State.RUNNING or machine.by_hand or self._homing or begun is None:
            return None
        if asked.sequence <= self._sequence:
            return Held(None, Limit.SHAPE, f"request {asked.sequence} came out of order")
        self._sequence = asked.sequence
        if (asked.adapter, asked.episode) != (begun.adapter, begun.episode):
            return Held(None, Limit.SHAPE, "another adapter than the episode was begun with")
        if arm.trouble or arm.measured is None:
            return Held(None, NO_LIMIT, unseen(arm, self._bounds, now_s), stop=True)
        return hold(asked, arm.measured, self._last, self._bounds, now_s)

    def _why_not(self, asked: Request) -> str:
        machine = self._machine
        if machine.by_hand:
            return "a person has the arm"
        if machine.state is State.RUNNING:
            return "on the way home"
        return machine.reason or f"{asked.kind} wants RUNNING; no episode has begun"

    def _start_home(self, sequence: int, before: Machine, arm: Arm, now_s: float) -> Reply:
        why = "a person has the arm" if self._machine.by_hand else ""
        why = why or self._tell(What.BEGIN, now_s, obstacle=obstacle(arm, self._bounds, now_s))
        if why:
            return self._reply(before, arm, now_s, sequence, why=why)
        self._homing = _Home(sequence, now_s, now_s + _HOME_S, now_s)
        return Reply(answers=(answer_of(self._machine, UNASKED, now_s, "going home"),))

    def _go_home(self, homing: _Home, before: Machine, arm: Arm, now_s: float) -> Reply:
        """One setpoint on the way home, held to the envelope like any other."""
        measured = arm.measured
        if homing.sequence != UNASKED and now_s - homing.heard_s > self._tempo.silence_s:
            self._tell(What.HEARTBEAT_LOST, now_s, "no beat in time on the way home")
            return self._reply(before, arm, now_s, UNASKED)
        if measured is None or self._machine.by_hand or now_s > homing.ends_s:
            why = f"home was not reached in {_HOME_S:.0f} s" if measured else "no state"
            self._tell(What.BAD, now_s, "a person took the arm" if self._machine.by_hand else why)
            return self._reply(before, arm, now_s, UNASKED)
        last, period_s = self._last, self._bounds.period_s
        if last is not None and now_s - last.at_s < _TOO_SOON * period_s:
            return self._reply(before, arm, now_s, UNASKED)
        start = last or at_rest(measured, self._bounds, now_s)
        if is_there(measured, start.pose, self._home):
            self._homing = None
            self._tell(What.REST, now_s, "home")
            return Reply(
                answers=(answer_of(self._machine, homing.sequence, homing.received_s, ""),)
            )
        aim = next_pose(start.pose, self._home, self._bounds)
        gripper = start.gripper if 0.0 <= start.gripper <= 1.0 else 1.0
        held = hold(setpoint(aim, gripper, now_s), measured, self._last, self._bounds, now_s)
        what = What.BAD if held.stop else What.MOVE
        event = Event(what, now_s, held.refused or "", next_s=now_s + self._tempo.silence_s)
        self._machine = after(self._machine, event, self._tempo)
        if held.command is None or self._machine.state is not State.RUNNING:
            return self._reply(before, arm, now_s, UNASKED)
        self._last = held.command
        return Reply(held.command)

    def _reply(
        self, before: Machine, arm: Arm, now_s: float, sequence: int, why: str = "",
        limits: Limit = NO_LIMIT,
    ) -> Reply:  # fmt: skip
        """Answer, and where motion has just ended hold the arm where it is."""
        stopped = before.state is State.RUNNING and self._machine.state is not State.RUNNING
        target = self._stand(arm, now_s) if stopped else None
        answers = []
        if stopped:
            self._last = None
            self.counts[f"to {self._machine.state}"] += 1
            answers += self._end_home(now_s, target)
        machine = self._machine
        changed = (machine.state, machine.by_hand) != (before.state, before.by_hand)
        if sequence != UNASKED or changed or why:
            reason = why or machine.reason
            answers.append(answer_of(self._machine, sequence, now_s, reason, limits, target))
        return Reply(target, hold=True, answers=tuple(answers), why=why)

    def _end_home(self, now_s: float, target: Command | None) -> list[Answer]:
        """Give up a way home that was cut short."""
        homing, self._homing = self._homing, None
        if homing is None:
            return []
        why = self._machine.reason
        self._tell(What.REST, now_s)
        return [answer_of(self._machine, homing.sequence, homing.received_s, why, target=target)]

    def _stand(self, arm: Arm, now_s: float) -> Command | None:
        """Where the arm is, as a target; None where nobody knows or a person has it."""
        if self._machine.by_hand or unseen(arm, self._bounds, now_s) or arm.measured is None:
            return None
        return at_rest(arm.measured, self._bounds, now_s)

    def _count(self, held: Held) -> None:
        for limit in held.limits:
            self.counts[f"held {limit.name}"] += 1
        if held.refused is not None:
            self.counts["refused"] += 1


def _was_held(held: Held, *, slowed: bool) -> bool:
    """Whether a wish was cut short in a way that speaks of a fault.

    A softened start and a slow gripper do not, nor does a new adapter's lower speed.
    """
    meant = Limit.ACCELERATION | Limit.GRIPPER
    if slowed:
        meant |= Limit.SPEED | Limit.ROTATION | Limit.STEP
    return held.refused is not None or bool(held.limits & ~meant)
