"""Asking the person who started a run: by keys of the terminal, or by words a robot hears."""

from __future__ import annotations

import logging
import os
import select
import sys
from collections.abc import Callable

from agent import clock
from agent.episode import Verdict
from agent.errors import UsageError
from agent.protocols import Attentive, Robot
from agent.reward.person import Person

log = logging.getLogger(__name__)

KEYS = {
    "s": Verdict.SUCCESS, "y": Verdict.SUCCESS, "f": Verdict.FAILURE, "n": Verdict.FAILURE,
    "u": Verdict.UNKNOWN,
}  # fmt: skip
WORDS = {"success": Verdict.SUCCESS, "failure": Verdict.FAILURE}
_LOOK_S = 0.1


def person_at(robot: Robot, wait_s: float, stop_wanted: Callable[[], bool]) -> Person:
    """Whoever can be asked how an episode went. Raises UsageError where nobody can."""
    if isinstance(robot, Attentive):
        return lambda question: _by_word(robot, question, wait_s, stop_wanted)
    if not sys.stdin.isatty():
        raise UsageError(
            "a terminal wanted to ask a person at, found none; start the run in one, or choose "
            "another judge: --reward outcome, vlm or http, and reward.ask=false"
        )
    return lambda question: _by_key(question, wait_s, stop_wanted)


def _by_word(
    robot: Attentive, question: str, wait_s: float, stop_wanted: Callable[[], bool]
) -> Verdict:
    log.warning("%s press s or f, or say success or failure, within %.0f s", question, wait_s)
    ends_s = clock.now_s() + wait_s
    wait = select.select
    while clock.now_s() < ends_s and not stop_wanted():
        for word in robot.heard():
            if word in WORDS:
                return WORDS[word]
        wait([], [], [], _LOOK_S)
    return _nobody(wait_s)


def _by_key(question: str, wait_s: float, stop_wanted: Callable[[], bool]) -> Verdict:
    import termios
    import tty

    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)
    sys.stderr.write(f"{question} s success, f failure, u unknown ({wait_s:.0f} s)\n")
    # Keys at once, without Enter; Ctrl-C still interrupts. What was typed before is no answer.
    tty.setcbreak(handle, termios.TCSAFLUSH)
    try:
        ends_s = clock.now_s() + wait_s
        while clock.now_s() < ends_s and not stop_wanted():
            if not select.select([handle], [], [], _LOOK_S)[0]:
                continue
            pressed = os.read(handle, 64)
            if not pressed:
                break
            for key in pressed.decode(errors="ignore").lower():
                if key in KEYS:
                    return KEYS[key]
        return _nobody(wait_s)
    finally:
        termios.tcsetattr(handle, termios.TCSANOW, before)


def _nobody(wait_s: float) -> Verdict:
    log.warning("nobody answered within %.0f s; the episode's verdict is unknown", wait_s)
    return Verdict.UNKNOWN
