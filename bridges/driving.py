"""One control step: a delta becomes setpoints in time, and the guard's answers what came of it."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.clock import now_s
from agent.episode import NO_LIMIT, Action, Limit
from bridges.asking import GuardLine
from bridges.feeling import Felt, Senses
from bridges.pose import Pose
from bridges.setpoints import anchor_of, count_of, delta_of, resampled, target_of
from bridges.wire import Answer, Kind, Request, State
from calibration.profile import Profile

# Carried out unchanged: the target came this near to what was asked, in deltas.
UNCHANGED = 0.02
_ANSWER_S = 1.0
# A setpoint that is later than so many of them has been overtaken by the next ones.
_LATE = 3.0


@dataclass(frozen=True, slots=True)
class Came:
    """What came of one action.

    applied: what was truly carried out. unchanged: it is what was asked for.
    stopped: the guard's answer where it does not move any more, or None.
    sent_s, applied_s: of the first setpoint, monotonic; NaN where it was not applied.
    """

    applied: Action
    unchanged: bool
    felt: Felt
    limits: Limit = NO_LIMIT
    by_hand: bool = False
    stopped: Answer | None = None
    sent_s: float = math.nan
    applied_s: float = math.nan


@dataclass(slots=True)
class Drive:
    """Moves the arm through the guard, one control step after the other."""

    profile: Profile
    guard: GuardLine
    senses: Senses
    _last: Pose | None = None  # what was published last; None where any motion begins anew
    _due_s: float = -math.inf  # when the next control step begins

    def anew(self) -> None:
        """Begin the next motion from where the arm is measured."""
        self._last, self._due_s = None, -math.inf

    def step(self, action: Action) -> Came:
        """Carry out one action within [-1, 1] in one control period.

        Raises RobotFault where the arm's state is stale or the guard does not answer.
        """
        profile, felt = self.profile, self.senses.now()
        scale = np.array(profile.scale.full_scale)
        last = self._last or felt.pose
        anchor = anchor_of(felt.pose, last, profile.anchor.target, profile.limits.lead_rad)
        target = target_of(anchor, action.delta, scale)
        sent_s, answers = self._send(resampled(last, target, self._count), action.gripper)
        after = self.senses.now()
        by_hand = any(each.by_hand for each in answers)
        limits = Limit(0)
        for each in answers:
            limits |= Limit(each.limits)
        published = [each for each in answers if not each.reason]
        first_s = answers[0].applied_s if not answers[0].reason else math.nan
        halted = next((each for each in answers if each.state is not State.RUNNING), None)
        if by_hand or not published:
            # A person moved the arm, or nothing did: the arm's own way is what was carried out.
            self._last = None
            delta = np.clip(delta_of(felt.pose, after.pose, scale), -1.0, 1.0)
            applied = Action(delta, after.opening if by_hand else action.gripper)
            unchanged = False
            return Came(applied, unchanged, after, limits, by_hand, halted, sent_s, first_s)
        self._last = _pose(published[-1])
        delta = delta_of(anchor, self._last, scale)
        unchanged = halted is None and bool(np.abs(delta - action.delta).max() <= UNCHANGED)
        applied = action if unchanged else Action(delta, float(published[-1].gripper))
        if halted is not None:
            self._last = None
        return Came(applied, unchanged, after, limits, by_hand, halted, sent_s, first_s)

    @property
    def _count(self) -> int:
        return count_of(self.profile.rates.control_hz, self.profile.rates.setpoint_hz)

    def _send(self, way: Sequence[Pose], gripper: float) -> tuple[float, tuple[Answer, ...]]:
        """Send setpoints in time until the period is over, and collect their answers."""
        period_s = 1.0 / self.profile.rates.control_hz
        apart_s = period_s / len(way)
        # On time, where the step before has just ended; anew, where the policy took its time.
        starts_s = self._due_s if now_s() - self._due_s < apart_s else now_s()
        self._due_s = starts_s + period_s
        numbers, first_s = [], math.nan
        for number, pose in enumerate(way):
            self._until(starts_s + number * apart_s)
            sent_s = now_s()
            first_s = sent_s if number == 0 else first_s
            request = Request(
                sequence=0,
                kind=Kind.MOVE,
                sent_s=sent_s,
                deadline_s=sent_s + _LATE * apart_s,
                next_s=sent_s + self._silence_s(last=number == len(way) - 1, apart_s=apart_s),
                position_m=tuple(pose.position_m.tolist()),
                quaternion_xyzw=tuple(pose.quaternion.tolist()),
                gripper=gripper,
            )
            numbers.append(self.guard.send(request))
            heard = self.guard.heard
            if number and heard is not None and heard.state is not State.RUNNING:
                break
        self._until(self._due_s)
        return first_s, self.guard.answers(numbers, _ANSWER_S)

    def _silence_s(self, *, last: bool, apart_s: float) -> float:
        """When the guard is to hold: late between two setpoints, later where the policy thinks."""
        periods_s = 3.0 / self.profile.rates.control_hz if last else _LATE * apart_s
        return max(periods_s, self.profile.freshness.request_s)

    def _until(self, moment_s: float) -> None:
        time.sleep(max(0.0, moment_s - now_s()))


def _pose(answer: Answer) -> Pose:
    return Pose(np.array(answer.position_m), np.array(answer.quaternion_xyzw))
