"""Judges what a guard did, from outside and by its own arithmetic: kinematics, clocks, latches."""

from __future__ import annotations

import json
import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np

from benchmarks.guard_kinematics import Array, tool_of, turn_between
from bridges.guard.arm import Arm, Mode
from bridges.guard.bounds import Bounds
from bridges.guard.keeper import Reply
from bridges.guard.state import Tempo
from bridges.wire import State

EPS = 1e-7


class Wrong(AssertionError):
    """The guard did what it must never do."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What went in: a request's text, a word, a tick or the loss of the agent."""

    kind: str
    now_s: float
    arm: Arm
    text: str = ""


@dataclass(slots=True)
class Sent:
    """A target that went out on a request."""

    at_s: float
    place: Array
    turn: Array
    gripper: float
    way: Array
    angle: float


@dataclass(slots=True)
class Oracle:
    """Knows what was sent, what a person said, and what may follow."""

    bounds: Bounds
    tempo: Tempo
    simulated: bool
    state: State = State.DISARMED
    by_hand: bool = False
    sent: deque[Sent] = field(default_factory=lambda: deque(maxlen=120))
    newest_s: float = -math.inf
    moved_s: float = math.inf
    first: bool = True
    adapter_episode: int = 0
    homing: bool = False
    clamped: deque[bool] = field(default_factory=deque)
    targets: int = 0

    def judge(self, seen: Seen, reply: Reply, state: State, *, by_hand: bool) -> None:
        """Raises Wrong for a target outside the envelope, or a latch that came off by itself."""
        asked = _asked(seen)
        self._latches(seen, asked, state, by_hand=by_hand)
        if reply.target is not None:
            self._legitimate(seen, reply, state)
        ended = self.state is State.RUNNING and state not in (State.RUNNING, State.ARMED)
        if ended and not by_hand and self._fresh(seen):
            _need(reply.target is not None and reply.hold, f"{state}, and the old target stays")
        self._remember(seen, asked, state, reply, by_hand=by_hand)
        if reply.target is not None and not reply.hold:
            self._within(seen, asked, reply)
        if asked is not None and asked["kind"] != "home":
            numbers = [answer.sequence for answer in reply.answers]
            _need(numbers.count(asked["sequence"]) == 1, f"one answer wanted, found {numbers}")
        self.state, self.by_hand = state, by_hand
        self.newest_s = (
            max(self.newest_s, seen.now_s) if seen.now_s == seen.now_s else self.newest_s
        )

    def _latches(self, seen: Seen, asked: dict | None, state: State, *, by_hand: bool) -> None:
        kind = asked["kind"] if asked else ""
        said = seen.text if seen.kind == "word" else ""
        program = self.simulated and seen.arm.simulated
        may = {
            (State.FAULT, State.DISARMED): said == "clear" or (kind == "clear" and program),
            (State.HOLD, State.RUNNING): said == "resume" or (kind == "resume" and program),
            (State.HOLD, State.ARMED): said == "resume" or (kind == "resume" and program),
            (State.HOLD, State.DISARMED): said == "disarm",
            (State.DISARMED, State.ARMED): said == "arm" or (kind == "arm" and program),
            (State.ARMED, State.RUNNING): kind in ("begin", "home") or said == "home",
            (State.FAULT, State.ARMED): False, (State.FAULT, State.RUNNING): False,
            (State.FAULT, State.HOLD): False, (State.DISARMED, State.RUNNING): False,
            (State.DISARMED, State.HOLD): False, (State.DISARMED, State.FAULT): False,
        }  # fmt: skip
        change = (self.state, state)
        _need(may.get(change, True), f"{change} on {seen.kind} {said or kind}")
        _need(by_hand or not self.by_hand or said == "release", "hands let go by themselves")
        alarmed = seen.arm.mode in (Mode.REFLEX, Mode.USER_STOPPED, Mode.RECOVERY)
        alarmed = alarmed or seen.arm.publishers > 1 or seen.arm.agents > 1
        moving = state in (State.ARMED, State.RUNNING)
        _need(not (alarmed and moving), f"{state} in spite of an alarm")
        back = not seen.now_s >= self.newest_s
        _need(not (back and moving), f"{state} although the clock went back")
        unfit = seen.kind != "lost" and not self._fresh(seen)
        _need(not (unfit and state is State.RUNNING), "running on a stale state")
        _need(not (seen.kind == "lost" and state is State.RUNNING), "running without an agent")
        bad = seen.kind == "request" and asked is None
        _need(not (bad and state is State.RUNNING), "running after an unreadable request")

    def _legitimate(self, seen: Seen, reply: Reply, state: State) -> None:
        """Where any target may go out at all."""
        target = reply.target
        assert target is not None  # noqa: S101  the caller looked
        numbers = [*target.pose.position_m, *target.pose.quaternion]
        _need(all(math.isfinite(value) for value in numbers), "a target that is not finite")
        _need(abs(np.linalg.norm(target.pose.quaternion) - 1) < 2e-3, "no unit quaternion")
        _need(not self.by_hand or seen.text == "release", "a target while a person has the arm")
        _need(self._fresh(seen), "a target on a stale state")
        measured = seen.arm.measured
        assert measured is not None  # noqa: S101  fresh
        if not reply.hold:
            _need(state is State.RUNNING, f"a target in {state}")
            return
        _need(self.state is State.RUNNING and state is not State.RUNNING, "a hold for nothing")
        same = np.array_equal(target.pose.position_m, measured.pose.position_m)
        _need(same, "a hold that is not where the arm is")
        _need(np.array_equal(target.pose.quaternion, measured.pose.quaternion), "a turned hold")

    def _remember(
        self, seen: Seen, asked: dict | None, state: State, reply: Reply, *, by_hand: bool
    ) -> None:
        kind = asked["kind"] if asked else ""
        if state is not State.RUNNING:
            self.homing = False
        if state is State.RUNNING and self.state is not State.RUNNING:
            self.homing = kind == "home" or seen.text == "home"
            self.sent.clear()
            self.clamped.clear()
            self.moved_s, self.first = seen.now_s, True
            if asked and kind == "begin":
                self.adapter_episode = asked["episode"]
        if by_hand != self.by_hand:
            self.sent.clear()
            self.moved_s, self.first = seen.now_s, True
        if state is State.RUNNING and not self.by_hand and not self.homing:
            most_s = self.tempo.first_s if self.first else self.tempo.silence_s
            silent_s = seen.now_s - self.moved_s
            _need(silent_s <= most_s + EPS, "running in silence")
        if kind == "move" and state is State.RUNNING and not self.homing:
            self.moved_s, self.first = seen.now_s, self.by_hand and self.first
            self._share(reply)

    def _share(self, reply: Reply) -> None:
        """Count requests that were cut short."""
        if self.by_hand or not reply.answers:
            return
        answer = reply.answers[-1]
        # Acceleration and gripper (4, 64) tell nothing of an agent's soundness. Nor do step, speed
        # and rotation (1, 2, 128) while its adapter is new: it asks for the pace it was taught, and
        # the cell lets it have a share of that alone. A box or a refusal counts at any pace.
        new = self.adapter_episode < self.bounds.slowed_episodes
        sound = 4 | 64 | (1 | 2 | 128 if new else 0)
        self.clamped.append(reply.target is None or bool(answer.limits & ~sound))
        while len(self.clamped) > self.tempo.window:
            self.clamped.popleft()
        few = sum(self.clamped) <= self.tempo.share * self.tempo.window
        _need(few, "running although most requests were held")

    def _within(self, seen: Seen, asked: dict | None, reply: Reply) -> None:
        """The envelope, for a target that answers a request or leads home."""
        self.targets += 1
        bounds, measured, command = self.bounds, seen.arm.measured, reply.target
        assert command is not None  # noqa: S101  the caller looked
        assert measured is not None  # noqa: S101  fresh
        place, turn = command.pose.position_m, command.pose.quaternion
        here, looks = measured.pose.position_m, measured.pose.quaternion
        _need(abs(np.linalg.norm(turn) - 1) < 1e-9, "a quaternion that is not of length 1")
        _need(0.0 <= command.gripper <= 1.0, f"an opening of {command.gripper}")
        if asked is not None:
            due_s = min(asked["deadline_s"], asked["sent_s"] + 1.0)
            _need(asked["sent_s"] - 0.02 - EPS <= seen.now_s <= due_s + EPS, "not of this moment")
        last = self.sent[-1] if self.sent else None
        start, faced = (last.place, last.turn) if last else (here, looks)
        way, angle = place - start, _angle(faced, turn)
        _need(float(np.linalg.norm(way)) <= bounds.step_m + EPS, "a long step")
        _need(angle <= bounds.step_rad + EPS, f"a step of {angle:.4f} rad")
        self._ahead(place - here, start - here, _angle(looks, turn), _angle(looks, faced))
        _need(self._outside(place) <= self._outside(start) + EPS, "farther out of the box")
        self._reach(measured.joints_rad, here, place - here, turn_between(looks, turn))
        now = Sent(seen.now_s, place, turn, command.gripper, way, angle)
        if last is not None:
            self._gain(last, now)
            dt = now.at_s - last.at_s
            most = bounds.gripper_per_s * dt
            _need(abs(now.gripper - last.gripper) <= most + EPS, "the gripper jumps")
        self.sent.append(now)
        self._speed()

    def _ahead(self, lead: Array, was: Array, lead_rad: float, was_rad: float) -> None:
        """No target is farther ahead of the arm than allowed, or than the one before it is now."""
        far, before = float(np.linalg.norm(lead)), float(np.linalg.norm(was))
        _need(far <= max(self.bounds.lead_m, before) + EPS, f"{far:.4f} m ahead")
        _need(lead_rad <= max(self.bounds.lead_rad, was_rad) + EPS, f"{lead_rad:.4f} rad ahead")

    def _gain(self, last: Sent, now: Sent) -> None:
        """Speed may be lost at once, and gained only by the acceleration allowed."""
        far, period_s = float(np.linalg.norm(now.way)), self.bounds.period_s
        if far == 0.0:
            return
        dt = now.at_s - last.at_s
        along = float(np.dot(last.way, now.way)) / far if dt <= 2.5 * period_s else 0.0
        most = max(along, 0.0) + self.bounds.acceleration_m_s2 * period_s * min(dt, 2 * period_s)
        _need(far <= most + EPS, f"a step of {far:.5f} m, {most:.5f} m allowed by acceleration")

    def _speed(self) -> None:
        """Over any stretch of time: way, turn and number of targets."""
        bounds, period_s = self.bounds, self.bounds.period_s
        slow = (
            1.0 if self.homing or self.adapter_episode >= bounds.slowed_episodes else bounds.slowed
        )
        now, far, angle = self.sent[-1], 0.0, 0.0
        for count, each in enumerate(reversed(self.sent)):
            far, angle = far + float(np.linalg.norm(each.way)), angle + each.angle
            span_s = now.at_s - each.at_s + 3.0 * period_s
            _need(far <= slow * bounds.speed_m_s * span_s + EPS, f"{far:.4f} m in {span_s:.3f} s")
            most = slow * bounds.rotation_rad_s * span_s
            _need(angle <= most + EPS, f"{angle:.4f} rad in {span_s:.3f} s")
            _need(count <= 5.0 + 2.0 * (now.at_s - each.at_s) / period_s + EPS, "too many targets")

    def _reach(self, joints: Array, here: Array, way: Array, turn: Array) -> None:
        """Joint margins and singularity at the joints the target leads to."""
        low = np.array(self.bounds.model.low_rad) + self.bounds.joint_margin_rad
        high = np.array(self.bounds.model.high_rad) - self.bounds.joint_margin_rad
        tool, _, moves = tool_of(joints)
        moves = _moved(moves, here - tool)
        leads = joints + np.linalg.pinv(moves) @ np.concatenate([way, turn])
        over = np.maximum(low - leads, leads - high)
        was = np.maximum(low - joints, joints - high)
        _need(bool(np.all((over <= EPS) | (over <= was + EPS))), "a joint goes into its margin")
        then = _least(_moved(tool_of(leads)[2], here - tool))
        _need(then >= min(self.bounds.singular_min, _least(moves)) - EPS, f"singular: {then:.4f}")

    def _outside(self, place: Array) -> float:
        low, high = np.array(self.bounds.low_m), np.array(self.bounds.high_m)
        return float(np.linalg.norm(np.maximum(0.0, np.maximum(low - place, place - high))))

    def _fresh(self, seen: Seen) -> bool:
        arm, bounds = seen.arm, self.bounds
        if arm.measured is None or arm.trouble:
            return False
        told, now_s = arm.measured, seen.now_s
        numbers = [*told.joints_rad, *told.pose.position_m, *told.pose.quaternion]
        return (
            all(abs(number) <= 10.0 for number in numbers)
            and abs(math.hypot(*told.pose.quaternion) - 1.0) <= 1e-3
            and 0 <= now_s - told.joints_at_s <= bounds.joints_s
            and 0 <= now_s - told.pose_at_s <= bounds.pose_s
            and -bounds.joints_s <= told.joints_stamp_s <= bounds.joints_s
            and -bounds.pose_s <= told.pose_stamp_s <= bounds.pose_s
        )


def _asked(seen: Seen) -> dict | None:
    """The request in a text that every reader of strict JSON agrees on; None for any other."""
    if seen.kind != "request":
        return None
    try:
        told = json.loads(seen.text)
    except (ValueError, RecursionError):
        return None
    sound = isinstance(told, dict) and len(told) == 10 and "sequence" in told
    return told if sound and "NaN" not in seen.text and "Infinity" not in seen.text else None


def _angle(start: Array, end: Array) -> float:
    return float(np.linalg.norm(turn_between(start, end)))


def _moved(moves: Array, by: Array) -> Array:
    """The Jacobian of a point `by` (3,) m beyond: v + w x by."""
    return np.vstack([moves[:3] + np.cross(moves[3:].T, by).T, moves[3:]])


def _least(moves: Array) -> float:
    return float(np.sqrt(max(0.0, np.linalg.eigvalsh(moves @ moves.T)[0])))


def _need(holds: bool, what: str) -> None:  # noqa: FBT001  an assertion
    if not holds:
        raise Wrong(what)
