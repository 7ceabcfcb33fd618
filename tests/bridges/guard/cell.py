"""An arm at home in an invented cell with round limits, and a sound agent's requests."""

from dataclasses import replace

import numpy as np

from bridges.guard.arm import Arm, Mode
from bridges.guard.bounds import Bounds, bounds_of
from bridges.guard.command import Command, Measured
from bridges.guard.homing import home_of
from bridges.guard.keeper import Keeper
from bridges.guard.state import Tempo
from bridges.pose import Pose, product, turned_by
from bridges.wire import Kind, Request, request_text
from calibration.profile import load

NOW = 100.0
T = 0.02  # s between setpoints
PROFILE = load("franka")
HOME = home_of(PROFILE)
JOINTS = np.array(PROFILE.home.joints_rad)
# 10 mm a setpoint at most; 0.25 m/s is 5 mm; 2 m/s2 gain 0.8 mm a setpoint.
BOUNDS: Bounds = replace(bounds_of(PROFILE), acceleration_m_s2=2.0, slowed=0.5, slowed_episodes=3)
TEMPO = Tempo(silence_s=0.6, grace_s=0.04, window=10)


def measured(**changes) -> Measured:
    """The arm at home, heard of a millisecond ago."""
    told = Measured(JOINTS, HOME, 0.5, NOW - 0.001, NOW - 0.001, 0.002, 0.002)
    return replace(told, **changes)


def last(moved_m=(0.0, 0.0, 0.0), **changes) -> Command:
    """A target at home, one setpoint ago, with plenty of credit."""
    told = Command(HOME, 0.5, NOW - T, np.array(moved_m), 1.0, 1.0, 5.0)
    return replace(told, **changes)


def move(by_m=(0.0, 0.0, 0.0), turn_rad=(0.0, 0.0, 0.0), **changes) -> Request:
    """A setpoint so far from home, of an adapter that is known well."""
    quaternion = product(turned_by(np.array(turn_rad)), HOME.quaternion)
    told = Request(
        1, Kind.MOVE, NOW - 0.001, NOW + 0.05, NOW + 0.1, "0001", 3,
        floats(HOME.position_m + np.array(by_m)), floats(quaternion), 0.5,
    )  # fmt: skip
    return replace(told, **changes)


def floats(numbers) -> tuple:
    return tuple(float(number) for number in numbers)


def arm(now_s: float = NOW, **changes) -> Arm:
    """The arm as the guard hears of it, fresh at `now_s`."""
    told = measured(joints_at_s=now_s - 0.001, pose_at_s=now_s - 0.001)
    return replace(Arm(told, mode=Mode.MOVE, simulated=True), **changes)


class Desk:
    """A keeper with a clock of its own; every call lets one setpoint period pass."""

    def __init__(self, *, simulated: bool = False) -> None:
        self.keeper = Keeper(BOUNDS, TEMPO, HOME, simulated=simulated)
        self.now_s, self.sequence = NOW, 0

    def ask(self, kind: Kind, after_s: float = T, arm_changes=None, **changes):
        self.now_s += after_s
        self.sequence += 1
        told = Request(
            self.sequence, kind, self.now_s - 0.001, self.now_s + 0.05, self.now_s + 0.1,
            "0001", 3, floats(HOME.position_m), floats(HOME.quaternion), 0.5,
        )  # fmt: skip
        return self.send(request_text(replace(told, **changes)), arm_changes)

    def send(self, text: str, arm_changes=None):
        return self.keeper.request(text, arm(self.now_s, **(arm_changes or {})), self.now_s)

    def say(self, word: str, after_s: float = T, **arm_changes):
        self.now_s += after_s
        return self.keeper.word(word, arm(self.now_s, **arm_changes), self.now_s)

    def tick(self, after_s: float = T, **arm_changes):
        self.now_s += after_s
        return self.keeper.tick(arm(self.now_s, **arm_changes), self.now_s)

    @property
    def state(self) -> str:
        return str(self.keeper.machine.state)

    def running(self) -> "Desk":
        """Armed by a person, an episode begun, one setpoint done."""
        self.say("arm")
        self.ask(Kind.BEGIN)
        assert self.ask(Kind.MOVE).target is not None
        return self


def at(pose: Pose, by_m) -> Pose:
    return Pose(pose.position_m + np.array(by_m), pose.quaternion)
