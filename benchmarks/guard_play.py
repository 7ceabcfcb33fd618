"""One life of a guard: an arm, an agent, a person, and everything that can go wrong with them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from benchmarks.guard_kinematics import Array, quaternion_of, tool_of, turn_between
from benchmarks.guard_oracle import Oracle, Seen
from bridges.guard.arm import Arm, Mode
from bridges.guard.bounds import bounds_of, tempo_of
from bridges.guard.command import Measured
from bridges.guard.homing import home_of
from bridges.guard.keeper import WORDS, Keeper, Reply
from bridges.pose import Pose, product, turned_by
from bridges.wire import Kind, Request, State, request_text
from calibration.profile import Profile

ODD = (math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, 1e-9, 1e9, 1e299, -1e299)
GARBAGE = (
    "", "{}", "[]", "null", "NaN", '{"sequence": 1}', "[" * 3000, "x" * 5000,
    '{"kind": "move"}', "\x00", '"move"', "1e999",
)  # fmt: skip


class Play:
    """Steps through what may happen; the oracle judges every one. Same numbers, same life."""

    def __init__(self, profile: Profile, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.bounds = bounds_of(profile)
        simulated = bool(self.rng.integers(2))
        tempo = replace(tempo_of(profile), window=20)
        self.keeper = Keeper(self.bounds, tempo, home_of(profile), simulated=simulated)
        self.oracle = Oracle(self.bounds, tempo, simulated)
        self.now_s = float(self.rng.uniform(0, 1e5))
        self.joints = np.array(profile.home.joints_rad)
        if self.rng.random() < 0.3:
            low, high = np.array(self.bounds.model.low_rad), np.array(self.bounds.model.high_rad)
            self.joints = self.rng.uniform(low, high)
        self.beyond = self.rng.normal(0.0, 0.02, 3) * (self.rng.random() < 0.3)
        self.target: Pose | None = None
        self.gripper, self.sequence = 0.5, 0
        self.acting = self.coming = ("0001", 0)
        self.faults: dict[str, float] = {}
        self.simulated = True
        self.seen: Counter[str] = Counter()

    def step(self, name: str) -> Reply:
        """Let some time pass and one thing happen."""
        self.now_s += self._pause_s()
        self._follow()
        self.seen[name] += 1
        text, kind = HAPPENINGS[name](self), name.split(maxsplit=1)[0]
        now_s = float(self.faults.pop("clock", self.now_s))
        arm = self._arm(now_s)
        seen = Seen(kind, now_s, arm, text)
        reply = {
            "request": lambda: self.keeper.request(text, arm, now_s),
            "word": lambda: self.keeper.word(text, arm, now_s),
            "tick": lambda: self.keeper.tick(arm, now_s),
            "lost": lambda: self.keeper.lost("gone", arm, now_s),
        }[kind]()
        machine = self.keeper.machine
        self.oracle.judge(seen, reply, machine.state, by_hand=machine.by_hand)
        self.seen[str(machine.state)] += 1
        if reply.target is not None:
            self.target = reply.target.pose
        if name == "request begin" and not reply.why:
            self.acting = self.coming
        return reply

    def _pause_s(self) -> float:
        kind = self.rng.random()
        if kind < 0.85:
            return float(self.bounds.period_s * self.rng.uniform(0.5, 1.6))
        return 0.0 if kind < 0.92 else float(self.rng.exponential(0.1))

    def _follow(self) -> None:
        """The arm goes some of the way to its target, as a soft controller lets it."""
        if self.target is None:
            return
        tool, hand, moves = tool_of(self.joints)
        turn = turn_between(quaternion_of(hand), self.target.quaternion)
        way = np.concatenate([self.target.position_m - self.beyond - tool, turn])
        step = np.linalg.lstsq(moves, way, rcond=1e-3)[0]
        step *= min(1.0, 0.2 / max(1e-9, float(np.abs(step).max())))
        low, high = np.array(self.bounds.model.low_rad), np.array(self.bounds.model.high_rad)
        self.joints = np.clip(self.joints + 0.4 * step, low - 0.01, high + 0.01)

    def _pose(self) -> Pose:
        tool, hand, _ = tool_of(self.joints)
        return Pose(tool + self.beyond, quaternion_of(hand))

    def _arm(self, now_s: float) -> Arm:
        """The arm as the guard hears of it, faults and all."""
        at = self.faults.get
        for name in [name for name in self.faults if self.rng.random() < 0.3]:
            self.faults.pop(name)
        joints, pose = self.joints.copy(), self._pose()
        if "odd" in self.faults:
            joints[int(self.rng.integers(7))] = at("odd")
        if "odd pose" in self.faults:
            where = np.array(pose.position_m)
            where[int(self.rng.integers(3))] = at("odd pose")
            pose = Pose(where, pose.quaternion)
        if "short" in self.faults:
            pose = Pose(pose.position_m, pose.quaternion * 0.5)
        measured = Measured(
            joints, pose, self.gripper if self.rng.random() < 0.9 else math.nan,
            now_s - at("joints old", 0.001), now_s - at("pose old", 0.001),
            at("joints stamp", 0.002), at("pose stamp", 0.002),
        )  # fmt: skip
        return Arm(
            None if "missing" in self.faults else measured,
            trouble="wrong frame" if "trouble" in self.faults else "",
            mode=Mode(int(at("mode", 2))),
            simulated=self.simulated,
            publishers=int(at("publishers", 1)),
            agents=int(at("agents", 1)),
        )

    def fault(self) -> None:
        """Something breaks, for a while."""
        rng = self.rng
        name = str(rng.choice(FAULTS))
        # Plain floats, as the guard's clocks are: NumPy's would raise where those give NaN.
        self.faults[name] = float({
            "joints old": lambda: rng.exponential(0.2) * rng.choice([-1, 1]),
            "pose old": lambda: rng.exponential(0.2) * rng.choice([-1, 1]),
            "joints stamp": lambda: rng.normal(0, 0.5),
            "pose stamp": lambda: rng.choice([math.nan, rng.normal(0, 0.5)]),
            "mode": lambda: rng.integers(7),
            "publishers": lambda: 2, "agents": lambda: 2,
            "odd": lambda: rng.choice(ODD), "odd pose": lambda: rng.choice(ODD),
            "clock": lambda: rng.choice([math.nan, -math.inf, 0.0, self.now_s - rng.exponential()]),
        }.get(name, lambda: 1.0)())  # fmt: skip

    def ask(self, kind: Kind, **changes: object) -> str:
        """A request of a sound agent, with changes."""
        self.sequence += 1
        sent_s = self.now_s - 0.002
        request = Request(self.sequence, kind, sent_s, sent_s + 0.1, sent_s + 0.1, *self.acting)
        return request_text(replace(request, **changes))  # type: ignore[arg-type]

    def move(self, far_m: float, turn_rad: float) -> str:
        """A setpoint some way from the last one, in a way that goes on for a while."""
        start = self.target or self._pose()
        way = self.rng.normal(size=3)
        place = start.position_m + way * (far_m / np.linalg.norm(way))
        turn = product(turned_by(self.rng.normal(0, turn_rad, 3)), start.quaternion)
        return self.ask(
            Kind.MOVE, position_m=_floats(place), quaternion_xyzw=_floats(turn),
            gripper=float(self.rng.random()),
        )  # fmt: skip

    def usual(self) -> str:
        """A setpoint at about the speed allowed."""
        bounds = self.bounds
        pace = float(self.rng.exponential(0.7)) * bounds.period_s
        return self.move(pace * bounds.speed_m_s, 0.4 * pace * bounds.rotation_rad_s)

    def wild(self) -> str:
        """A setpoint of numbers that were never meant as one."""
        numbers = [
            float(self.rng.choice(ODD[3:])) if self.rng.random() < 0.5 else float(self.rng.normal())
            for _ in range(8)
        ]
        told = {"position_m": tuple(numbers[:3]), "quaternion_xyzw": tuple(numbers[3:7])}
        return self.ask(Kind.MOVE, gripper=numbers[7], **told)

    def begin(self) -> str:
        """An episode of some adapter."""
        self.coming = (f"{self.rng.integers(9):04d}", int(self.rng.integers(6)))
        return self.ask(Kind.BEGIN, adapter=self.coming[0], episode=self.coming[1])

    def broken(self) -> str:
        """A text that is no request."""
        if self.rng.random() < 0.5:
            return str(self.rng.choice(GARBAGE))
        text = self.usual().replace('"gripper": ', '"gripper": NaN, "x": ')
        return text if self.rng.random() < 0.5 else text[: int(self.rng.integers(len(text)))]

    def jump(self) -> str:
        """A long silence."""
        self.now_s += float(self.rng.exponential(1.0))
        return ""

    def say(self, *words: str) -> str:
        """One of these words."""
        return str(self.rng.choice(words))

    def break_down(self) -> str:
        """A fault appears while time passes."""
        self.fault()
        return ""

    def recover(self) -> str:
        """What a person says to get on from here."""
        state = self.keeper.machine.state
        self.faults.clear()
        return {State.DISARMED: "arm", State.HOLD: "resume", State.FAULT: "clear"}.get(
            state, "release"
        )


def _floats(numbers: Array) -> tuple[float, ...]:
    return tuple(float(number) for number in numbers)


FAULTS = (
    "joints old", "pose old", "joints stamp", "pose stamp", "mode", "publishers", "agents", "odd",
    "odd pose", "short", "missing", "trouble", "clock",
)  # fmt: skip
# What may happen, and what it makes of the text that goes in.
HAPPENINGS: dict[str, Callable[[Play], str]] = {
    "request usual": Play.usual,
    "request on": lambda play: play.move(0.0, 0.0),
    "request far": lambda play: play.move(float(play.rng.exponential(0.2)), 0.5),
    "request wild": Play.wild,
    "request broken": Play.broken,
    "request late": lambda play: play.ask(Kind.MOVE, deadline_s=play.now_s - 0.1),
    "request early": lambda play: play.ask(Kind.MOVE, sent_s=play.now_s + 1.0),
    "request old": lambda play: play.ask(Kind.MOVE, sequence=int(play.rng.integers(5)) - 2),
    "request of another": lambda play: play.ask(Kind.MOVE, adapter="other", episode=99),
    "request begin": Play.begin,
    "request rest": lambda play: play.ask(Kind.REST),
    "request beat": lambda play: play.ask(Kind.BEAT),
    "request home": lambda play: play.ask(Kind.HOME),
    "request arm": lambda play: play.ask(Kind.ARM),
    "request clear": lambda play: play.ask(Kind.CLEAR),
    "request resume": lambda play: play.ask(Kind.RESUME),
    "word any": lambda play: play.say(*WORDS, "home", "success", "nonsense"),
    "word to go on": Play.recover,
    "tick": lambda _play: "",
    "tick jump": Play.jump,
    "tick fault": Play.break_down,
    "lost": lambda _play: "",
}
WEIGHTS = {"request usual": 40.0, "tick": 14.0, "request begin": 6.0, "word to go on": 6.0,
           "request on": 4.0, "request far": 3.0, "tick fault": 1.5}  # fmt: skip


def happening(rng: np.random.Generator) -> str:
    """The next thing to happen; sound setpoints most often."""
    return str(rng.choice(_NAMES, p=_CHANCES))


_NAMES = list(HAPPENINGS)
_RAW = np.array([WEIGHTS.get(name, 0.5) for name in _NAMES])
_CHANCES = _RAW / _RAW.sum()
