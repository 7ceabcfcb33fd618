"""Before an episode: the guard is armed, by a person or in front of a simulated arm."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

from agent.clock import now_s
from agent.errors import RobotFault, SafetyStop, VlarlError
from bridges.asking import GuardLine
from bridges.wire import OPERATOR_TOPIC, Answer, Kind, State

log = logging.getLogger(__name__)

# What leads a state on towards ARMED: a request of the program, and a person's word and key.
_WAY = {
    State.FAULT: (Kind.CLEAR, "clear", "c"),
    State.HOLD: (Kind.RESUME, "resume", "r"),
    State.DISARMED: (Kind.ARM, "arm", "a"),
}
# How the guard says in its reasons whose doing a state was, and which of those the program leaves.
BY_A_PERSON = "by a person"
_LEFT = tuple(f"{word} {BY_A_PERSON}" for word in ("hold", "stop", "disarm"))
# Silence and stale readings are faults of processes and links, and what a person stopped may be
# tried again when a person allows it; anything else is a limit.
_OURS = re.compile(rf"\b(in time|stayed away|gone|stale|old|ends|no whole state|{BY_A_PERSON})\b")
PERSON_S = 600.0
_PROGRAM_S = 15.0  # a busy machine finds its peers late
_LOOK_S = 0.1


def make_ready(guard: GuardLine, *, simulated: bool, pause: Callable[[float], None]) -> None:
    """End what was before, and wait until the guard is ARMED.

    simulated: profile and arm both say so; then the program arms by itself what no person stopped.
    pause: waits, and gives up by raising. Raises SafetyStop where the guard will not,
    RobotFault where nobody comes for ten minutes.
    """
    answer = guard.ask(Kind.REST)
    program_ends_s, person_ends_s = now_s() + _PROGRAM_S, now_s() + PERSON_S
    said = ""
    while answer.state is not State.ARMED:
        way = _WAY.get(answer.state)
        if way and simulated and not answer.reason.startswith(_LEFT):
            answer = guard.ask(way[0])
            # Just started, the guard has not heard yet that the arm is a simulated one.
            if answer.state is not State.ARMED and now_s() > program_ends_s:
                raise SafetyStop(f"an armed guard wanted, it stays {answer.state}: {answer.reason}")
        elif way:
            _, word, key = way
            prompt = (
                f"the guard is {answer.state} ({answer.reason}): when the arm's space is clear, "
                f"press {key}, or say {word!r} on {OPERATOR_TOPIC}"
            )
            if prompt != said:
                log.warning(prompt)
                said = prompt
            if now_s() > person_ends_s:
                raise RobotFault(f"an armed guard wanted, nobody came in {PERSON_S:.0f} s")
        if answer.state is not State.ARMED:
            pause(_LOOK_S)
            answer = guard.state()


def stopped(answer: Answer) -> VlarlError:
    """What it means that the guard stopped: a fault, after which one may try again, or a limit."""
    told = f"the guard is in {answer.state}: {answer.reason}"
    if _OURS.search(answer.reason):
        return RobotFault(f"{told}; the arm stands, the episode is over")
    return SafetyStop(f"{told}; see that all is well, then clear or resume the guard")
