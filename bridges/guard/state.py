"""What the guard allows, as a pure state machine: every stop is latched until a person lifts it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum, auto

from bridges.wire import State


class What(Enum):
    """What happened. BAD is a request that no sound agent sends.

    ARM .. RELEASE come from a person, or from the program in front of a simulated arm.
    """

    ARM = auto()
    DISARM = auto()
    HOLD = auto()
    RESUME = auto()
    CLEAR = auto()
    TAKE = auto()
    RELEASE = auto()
    BEGIN = auto()
    MOVE = auto()
    BEAT = auto()
    REST = auto()
    BAD = auto()
    TICK = auto()
    STALE = auto()
    HEARTBEAT_LOST = auto()
    REFLEX = auto()
    USER_STOP = auto()
    SECOND_PUBLISHER = auto()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at a time.

    why: for a person to read. obstacle: what speaks against motion now, "" for nothing.
    next_s: when a MOVE or BEAT says the next will come. held: the MOVE was held to a limit.
    """

    what: What
    now_s: float
    why: str = ""
    obstacle: str = ""
    next_s: float = math.nan
    held: bool = False


@dataclass(frozen=True, slots=True)
class Tempo:
    """How long silence is borne, and how much holding back.

    silence_s: from one MOVE to the next. grace_s: past the time a MOVE named for the next.
    first_s: from BEGIN or RESUME to the first MOVE, while nothing moves; after a BEAT too.
    lost_s: from HOLD to FAULT. window: so many MOVEs are looked at; more than `share` of them
    held: HOLD.
    """

    silence_s: float
    grace_s: float
    window: int
    share: float = 0.8
    first_s: float = 10.0
    lost_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Machine:
    """The guard's state, and what it must remember to leave it rightly.

    reason: why it is in this state. episode: one has begun and has not been put to rest.
    by_hand: a person has the arm. person: only a person may lead out of this state.
    due_s, beat_due_s: when a MOVE, or anything after a BEAT, must have come; inf for never.
    heard_s: last request. stopped_s: since when HOLD. stale_s: since when stale; inf for fresh.
    silent: HOLD was for silence. recent: a bit for each of the last MOVEs, 1 where it was held.
    """

    state: State = State.DISARMED
    reason: str = "not armed yet"
    episode: bool = False
    by_hand: bool = False
    person: bool = False
    now_s: float = -math.inf
    due_s: float = math.inf
    beat_due_s: float = math.inf
    heard_s: float = -math.inf
    stopped_s: float = math.inf
    stale_s: float = math.inf
    silent: bool = False
    recent: int = 0


# Where each event leads; what is not listed leaves the state as it is.
LEADS: dict[tuple[State, What], State] = {
    (State.DISARMED, What.ARM): State.ARMED,
    (State.ARMED, What.DISARM): State.DISARMED,
    (State.RUNNING, What.DISARM): State.DISARMED,
    (State.HOLD, What.DISARM): State.DISARMED,
    (State.ARMED, What.BEGIN): State.RUNNING,
    (State.RUNNING, What.REST): State.ARMED,
    (State.ARMED, What.HOLD): State.HOLD,
    (State.RUNNING, What.HOLD): State.HOLD,
    (State.RUNNING, What.BAD): State.HOLD,
    (State.RUNNING, What.STALE): State.HOLD,
    (State.RUNNING, What.HEARTBEAT_LOST): State.HOLD,
    (State.HOLD, What.RESUME): State.RUNNING,
    (State.ARMED, What.REFLEX): State.FAULT,
    (State.RUNNING, What.REFLEX): State.FAULT,
    (State.HOLD, What.REFLEX): State.FAULT,
    (State.ARMED, What.USER_STOP): State.FAULT,
    (State.RUNNING, What.USER_STOP): State.FAULT,
    (State.HOLD, What.USER_STOP): State.FAULT,
    (State.ARMED, What.SECOND_PUBLISHER): State.FAULT,
    (State.RUNNING, What.SECOND_PUBLISHER): State.FAULT,
    (State.HOLD, What.SECOND_PUBLISHER): State.FAULT,
    (State.FAULT, What.CLEAR): State.DISARMED,
}
# Nobody moves into one of these past an obstacle.
_MOTION = (State.ARMED, State.RUNNING)
_UNBLOCKED = (What.ARM, What.BEGIN, What.RESUME)
# A program may not lift what these brought about, not even in front of a simulated arm.
_GRAVE = (What.REFLEX, What.USER_STOP, What.SECOND_PUBLISHER)
_PERSON = {State.FAULT: _GRAVE, State.HOLD: (What.HOLD,), State.DISARMED: (What.DISARM,)}
# What lifts a stop, or ends what a person's hands began.
_LIFTS = (What.RESUME, What.CLEAR, What.RELEASE)
_REQUESTS = (What.BEGIN, What.MOVE, What.BEAT, What.REST, What.BAD)


def after(machine: Machine, event: Event, tempo: Tempo) -> Machine:
    """The machine after an event. Never raises."""
    if not event.now_s >= machine.now_s:
        # A clock that goes back makes every age a lie; what happened has happened all the same.
        machine = _to(machine, State.HOLD, event, "the clock went back")
        event = replace(event, now_s=machine.now_s, obstacle="the clock went back")
    machine = _noted(machine, event, tempo)
    if event.what in _UNBLOCKED and event.obstacle:
        return machine
    leads = LEADS.get((machine.state, event.what), machine.state)
    if event.what is What.RESUME and leads is State.RUNNING and not machine.episode:
        leads = State.ARMED
    if leads is not machine.state:
        return _entered(_to(machine, leads, event, event.why), event, tempo)
    return _watched(machine, event, tempo)


def refusal(machine: Machine, event: Event) -> str:
    """Why the machine will not do what a person or agent asks by this event; "" where it will."""
    if event.what in (What.MOVE, What.BEAT, What.REST, What.TAKE, What.RELEASE, What.HOLD):
        return ""
    if event.what in _UNBLOCKED and event.obstacle:
        return event.obstacle
    if (machine.state, event.what) in LEADS:
        return ""
    wanted = [state.value for (state, what) in LEADS if what is event.what]
    return f"{event.what.name.lower()} wants {' or '.join(wanted)}, the guard is {machine.state}"


def too_early(what: What, before: Machine, found: Machine) -> str:
    """Why a word cannot be meant for a stop; "" where it can.

    before: as whoever said it may have seen it. found: after a look at arm and clock. Lifted in
    the moment it is found, a stop would hold no arm and nobody would hear of it.
    """
    if what not in _LIFTS or (before.state, before.by_hand) == (found.state, found.by_hand):
        return ""
    why = found.reason if found.state is not before.state else "a hand on the arm"
    return f"{why}: found only now; look, then say it again"


def _noted(machine: Machine, event: Event, tempo: Tempo) -> Machine:
    """Remember what any state remembers: hands, who was heard, how long readings are stale."""
    machine = replace(machine, now_s=event.now_s)
    what = event.what
    if what in _PERSON.get(machine.state, ()):
        return replace(machine, person=True, reason=_told(event, event.why))
    if what is What.TAKE:
        return replace(machine, by_hand=True)
    if what is What.RELEASE and machine.by_hand:
        return _quiet(replace(machine, by_hand=False), event, tempo)
    if what is What.STALE:
        return replace(machine, stale_s=min(machine.stale_s, event.now_s))
    if what is What.TICK:
        return replace(machine, stale_s=math.inf)
    return _heard(machine, event, tempo) if what in _REQUESTS else machine


def _heard(machine: Machine, event: Event, tempo: Tempo) -> Machine:
    """The agent lives; one that beats has to be heard again when it said."""
    if event.what is What.REST:
        machine = replace(machine, episode=False)
    beat_due_s = _due_s(event, tempo, tempo.first_s) if event.what is What.BEAT else math.inf
    return replace(machine, heard_s=event.now_s, beat_due_s=beat_due_s)


def _watched(machine: Machine, event: Event, tempo: Tempo) -> Machine:
    """What the passing of time, and too many held requests, make of a state."""
    if machine.state is State.RUNNING and event.what is What.MOVE:
        return _moved(machine, event, tempo)
    if machine.state is State.RUNNING and not machine.by_hand:
        if event.now_s > machine.due_s:
            return _fell_silent(machine, event, "no request in time")
        if event.now_s > machine.beat_due_s:
            return _fell_silent(machine, event, "no beat in time")
    if machine.state is State.HOLD and machine.episode:
        if event.now_s - machine.stale_s > tempo.lost_s:
            return _to(machine, State.FAULT, event, "the arm's state stayed away")
        if machine.silent and event.now_s - max(machine.heard_s, machine.stopped_s) > tempo.lost_s:
            return _to(machine, State.FAULT, event, "the agent stayed away")
    return machine


def _moved(machine: Machine, event: Event, tempo: Tempo) -> Machine:
    """After a MOVE: when the next is due, and whether too many were held."""
    recent = ((machine.recent << 1) | event.held) & ((1 << tempo.window) - 1)
    due_s = _due_s(event, tempo, tempo.silence_s)
    machine = replace(machine, due_s=due_s, recent=recent)
    if recent.bit_count() > tempo.share * tempo.window:
        why = f"{recent.bit_count()} of the last {tempo.window} requests were held to a limit"
        return _to(machine, State.HOLD, event, why)
    return machine


def _fell_silent(machine: Machine, event: Event, why: str) -> Machine:
    return replace(_to(machine, State.HOLD, event, why), silent=True)


def _to(machine: Machine, state: State, event: Event, why: str) -> Machine:
    """Enter a state; a stop never makes a worse one better."""
    if state is State.HOLD and machine.state not in _MOTION:
        return machine
    return replace(
        machine,
        state=state,
        reason=_told(event, why),
        person=event.what in _PERSON.get(state, ()),
        stopped_s=machine.now_s,
        silent=event.what is What.HEARTBEAT_LOST,
    )


def _told(event: Event, why: str) -> str:
    return why or event.what.name.lower().replace("_", " ")


def _entered(machine: Machine, event: Event, tempo: Tempo) -> Machine:
    """What entering a state sets anew."""
    if machine.state is State.RUNNING:
        return _quiet(replace(machine, reason="", episode=True, recent=0), event, tempo)
    if machine.state is State.DISARMED:
        return replace(machine, episode=False)
    return machine


def _quiet(machine: Machine, event: Event, tempo: Tempo) -> Machine:
    """Nothing moves yet: the first MOVE may take its time."""
    return replace(machine, due_s=event.now_s + tempo.first_s, beat_due_s=math.inf)


def _due_s(event: Event, tempo: Tempo, most_s: float) -> float:
    """When the next must have come: as announced and a little later, but no later than allowed."""
    told_s = event.next_s if math.isfinite(event.next_s) else event.now_s
    return min(max(told_s, event.now_s) + tempo.grace_s, event.now_s + most_s)
