"""What the guard knows of the arm at one moment, and what of it speaks against motion."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from bridges.guard.bounds import Bounds
from bridges.guard.command import Measured, Refusal
from bridges.guard.envelope import check_measured
from bridges.guard.state import What


class Mode(IntEnum):
    """What the arm says it is doing; the numbers are libfranka's."""

    OTHER = 0
    IDLE = 1
    MOVE = 2
    GUIDING = 3
    REFLEX = 4
    USER_STOPPED = 5
    RECOVERY = 6


@dataclass(frozen=True, slots=True)
class Arm:
    """The arm and who talks to it.

    measured: None before a whole state came. trouble: why what came cannot be used, "" for none.
    simulated: the arm itself says so.
    publishers: of target poses, ours included. agents: publishers of requests.
    """

    measured: Measured | None
    trouble: str = ""
    mode: Mode = Mode.OTHER
    simulated: bool = False
    publishers: int = 1
    agents: int = 1


def unseen(arm: Arm, bounds: Bounds, now_s: float) -> str:
    """Why the arm's state cannot be relied on; "" where it can."""
    if arm.trouble:
        return arm.trouble
    if arm.measured is None:
        return "no whole state of the arm has come yet; does its driver run?"
    try:
        check_measured(arm.measured, bounds, now_s)
    except Refusal as refusal:
        return refusal.why
    return ""


def alarm(arm: Arm) -> tuple[What, str] | None:
    """What about the arm or its commanders must stop all motion, and why."""
    if arm.mode in (Mode.REFLEX, Mode.RECOVERY):
        return What.REFLEX, "the arm is in reflex; look at it, then recover it by hand"
    if arm.mode is Mode.USER_STOPPED:
        return What.USER_STOP, "the user stop is pressed"
    if arm.publishers > 1:
        return What.SECOND_PUBLISHER, f"{arm.publishers} publishers of target poses; one wanted"
    if arm.agents > 1:
        return What.SECOND_PUBLISHER, f"{arm.agents} agents send requests; one wanted"
    return None


def obstacle(arm: Arm, bounds: Bounds, now_s: float) -> str:
    """What speaks against motion now; "" for nothing."""
    sounding = alarm(arm)
    return sounding[1] if sounding else unseen(arm, bounds, now_s)
