"""The envelope: what of a request may be published; nothing outside it leaves, whatever comes in.

Refused, in this order: not finite, of the wrong shape, late or from the future, on a stale or
impossible state, too often. Then held: to the lead ahead of the measured pose and the box, and to
step, speed, acceleration, rotation and the gripper's rate. Refused at last: what leads a joint into
its margin, or the arm into a singularity.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from agent.episode import Limit
from bridges.guard.bounds import Bounds
from bridges.guard.command import Command, Held, Measured, Refusal, Vector
from bridges.guard.reach import check_reach
from bridges.pose import Pose, inverse, product, turn_of, turned_by
from bridges.wire import Request

# No arm reaches this far; below it no arithmetic overflows.
FARTHEST_M = 10.0
NORM_SLACK = 1e-3
# An agent may not grant itself more time than this.
LATEST_S = 1.0
FUTURE_S = 0.02
# Way that may be saved up for a late request, and targets that may be, in setpoints.
SAVED = 3.0
SAVED_TARGETS = 5.0
# Targets come at no more than this many times the setpoint rate.
RATE = 2.0
# After so many periods without a target the arm stands.
STANDS = 2.5


def hold(
    request: Request, measured: Measured, previous: Command | None, bounds: Bounds, now_s: float
) -> Held:
    """Hold a request to the envelope. previous: None after a rest. Never raises."""
    try:
        _check_finite(request, now_s)
        _check_shape(request)
        _check_time(request, now_s)
        check_measured(measured, bounds, now_s)
        start = at_rest(measured, bounds, now_s) if previous is None else previous
        earned = _earned(start, _slowed(request, bounds), now_s)
        goal, limits = _goal(request, measured, bounds)
        pose, slower = _toward(goal, start, earned, bounds)
        gripper, slowest = _gripper(request.gripper, start, bounds, now_s)
        check_reach(measured, pose, bounds)
    except Refusal as refusal:
        return Held(None, refusal.limits, refusal.why, refusal.stop)
    moved = pose.position_m - start.pose.position_m
    command = Command(
        pose=pose,
        gripper=gripper,
        at_s=now_s,
        moved_m=moved,
        credit_m=earned.credit_m - _length(moved),
        credit_rad=earned.credit_rad - _length(_turn(start.pose, pose)),
        credit_n=earned.credit_n - 1.0,
    )
    return Held(command, limits | slower | slowest)


def lateness(request: Request, now_s: float) -> str:
    """Why a request does not belong to this moment; "" where it does."""
    if request.sent_s > now_s + FUTURE_S:
        return "sent in the future; is it of this machine's monotonic clock?"
    late_s = now_s - min(request.deadline_s, request.sent_s + LATEST_S)
    return f"late by {late_s:.3f} s" if late_s > 0.0 else ""


def at_rest(measured: Measured, bounds: Bounds, now_s: float) -> Command:
    """The measured pose as a target, one period ago: where any motion begins."""
    return Command(
        pose=measured.pose,
        gripper=min(max(measured.gripper, 0.0), 1.0),
        at_s=now_s - bounds.period_s,
        moved_m=np.zeros(3),
        credit_m=0.0,
        credit_rad=0.0,
        credit_n=1.0,
    )


def check_measured(measured: Measured, bounds: Bounds, now_s: float) -> None:
    """Refuse to move an arm whose state is old, misdated or impossible. Raises Refusal."""
    for name, at_s, stamp_s, limit_s in (
        ("joint", measured.joints_at_s, measured.joints_stamp_s, bounds.joints_s),
        ("pose", measured.pose_at_s, measured.pose_stamp_s, bounds.pose_s),
    ):
        if not 0.0 <= now_s - at_s <= limit_s:
            why = f"the {name} state is {now_s - at_s:.3f} s old, limit {limit_s} s"
            raise Refusal(Limit(0), f"{why}; does the arm's driver run?", stop=True)
        if not abs(stamp_s) <= limit_s:
            why = f"the {name} state's stamp was {stamp_s:.3f} s old as it came, limit {limit_s} s"
            raise Refusal(Limit(0), f"{why} either way; are both clocks in step?", stop=True)
    values = [*measured.joints_rad, *measured.pose.position_m, *measured.pose.quaternion]
    if len(measured.joints_rad) != 7 or not all(abs(value) <= FARTHEST_M for value in values):
        raise Refusal(Limit(0), "the arm's state is not finite, or far from any arm", stop=True)
    if not abs(_length(measured.pose.quaternion) - 1.0) <= NORM_SLACK:
        raise Refusal(Limit(0), "the measured quaternion is not of length 1", stop=True)


def _check_finite(request: Request, now_s: float) -> None:
    numbers = (
        *request.position_m, *request.quaternion_xyzw, request.gripper,
        request.sent_s, request.deadline_s, request.next_s, now_s,
    )  # fmt: skip
    if not all(math.isfinite(number) for number in numbers):
        raise Refusal(Limit.SHAPE, "finite numbers wanted, found NaN or infinity", stop=True)


def _check_shape(request: Request) -> None:
    if max(abs(value) for value in request.position_m) > FARTHEST_M:
        raise Refusal(Limit.SHAPE, f"a position within {FARTHEST_M} m wanted")
    if max(abs(value) for value in request.quaternion_xyzw) > 1.0 + NORM_SLACK:
        raise Refusal(Limit.SHAPE, "a quaternion of length 1 wanted, found a component above 1")
    length = math.hypot(*request.quaternion_xyzw)
    if abs(length - 1.0) > NORM_SLACK:
        raise Refusal(Limit.SHAPE, f"a quaternion of length 1 wanted, found {length:.4f}")
    if not 0.0 <= request.gripper <= 1.0:
        raise Refusal(Limit.SHAPE, f"an opening from 0 to 1 wanted, found {request.gripper:.4g}")
    if request.episode < 0:
        raise Refusal(Limit.SHAPE, f"0 episodes or more wanted, found {request.episode}")


def _check_time(request: Request, now_s: float) -> None:
    why = lateness(request, now_s)
    if why:
        raise Refusal(Limit(0), why)


def _slowed(request: Request, bounds: Bounds) -> Bounds:
    """An adapter acts slower in its first episodes."""
    if request.episode >= bounds.slowed_episodes:
        return bounds
    return replace(
        bounds,
        speed_m_s=bounds.speed_m_s * bounds.slowed,
        rotation_rad_s=bounds.rotation_rad_s * bounds.slowed,
    )


def _earned(start: Command, bounds: Bounds, now_s: float) -> Command:
    """`start` with what the time since has earned. Raises Refusal where targets come too often."""
    since_s, period_s = now_s - start.at_s, bounds.period_s
    if since_s < 0.0:
        raise Refusal(Limit(0), "the clock went back", stop=True)
    credit_n = min(SAVED_TARGETS, start.credit_n + since_s * RATE / period_s)
    if credit_n < 1.0:
        raise Refusal(Limit(0), f"at most {RATE / period_s:.0f} targets a second wanted")
    stands = since_s > STANDS * period_s
    return replace(
        start,
        at_s=now_s,
        moved_m=np.zeros(3) if stands else start.moved_m,
        credit_m=_saved(start.credit_m, bounds.speed_m_s, since_s, period_s),
        credit_rad=_saved(start.credit_rad, bounds.rotation_rad_s, since_s, period_s),
        credit_n=credit_n,
    )


def _saved(credit: float, speed: float, since_s: float, period_s: float) -> float:
    return min(SAVED * speed * period_s, credit + speed * since_s)


def _goal(request: Request, measured: Measured, bounds: Bounds) -> tuple[Pose, Limit]:
    """The pose nearest to the wish that is in the box and not too far ahead of the arm."""
    limits = Limit(0)
    wish, here = np.array(request.position_m), measured.pose.position_m
    ahead = _length(wish - here)
    if ahead > bounds.lead_m:
        limits |= Limit.STEP
        wish = here + (wish - here) * (bounds.lead_m / ahead)
    inside = np.clip(wish, bounds.low_m, bounds.high_m)
    if (inside != wish).any():
        limits |= Limit.BOX
    if _length(inside - here) > bounds.lead_m * (1.0 + 1e-9):
        raise Refusal(Limit.BOX, "the tool is far outside its box; guide it back by hand")
    quaternion = np.array(request.quaternion_xyzw)
    quaternion /= _length(quaternion)
    turn = turn_of(product(quaternion, inverse(measured.pose.quaternion)))
    if _length(turn) > bounds.lead_rad:
        limits |= Limit.ROTATION
        shorter = turned_by(turn * (bounds.lead_rad / _length(turn)))
        quaternion = product(shorter, measured.pose.quaternion)
    return Pose(inside, quaternion), limits


def _toward(goal: Pose, start: Command, earned: Command, bounds: Bounds) -> tuple[Pose, Limit]:
    """As far along the straight way to the goal as step, speed and acceleration allow."""
    way, turn = goal.position_m - start.pose.position_m, _turn(start.pose, goal)
    far, angle = _length(way), _length(turn)
    shares = (
        (Limit.STEP, _share(bounds.step_m, far)),
        (Limit.ROTATION, _share(bounds.step_rad, angle)),
        (Limit.SPEED, _share(earned.credit_m, far)),
        (Limit.ROTATION, _share(earned.credit_rad, angle)),
        (Limit.ACCELERATION, _share(_gain(way, start, earned, bounds), far)),
    )
    limits = Limit(0)
    for limit, share in shares:
        if share < 1.0:
            limits |= limit
    share = min(share for _, share in shares)
    here = start.pose.position_m
    # Rounding may not carry a target out of the box; a start outside of it only comes nearer.
    low, high = np.minimum(bounds.low_m, here), np.maximum(bounds.high_m, here)
    quaternion = product(turned_by(share * turn), start.pose.quaternion)
    return Pose(np.clip(here + share * way, low, high), quaternion / _length(quaternion)), limits


def _gain(way: Vector, start: Command, earned: Command, bounds: Bounds) -> float:
    """The longest step that gains speed no faster than allowed; losing it is free, m.

    With d the direction of the way, m the last step: max(0, m d) + a T min(dt, 2 T).
    """
    far, period_s = _length(way), bounds.period_s
    along = float(earned.moved_m @ way) / far if far > 0.0 else 0.0
    since_s = min(earned.at_s - start.at_s, 2.0 * period_s)
    return max(0.0, along) + bounds.acceleration_m_s2 * period_s * since_s


def _gripper(opening: float, start: Command, bounds: Bounds, now_s: float) -> tuple[float, Limit]:
    if math.isnan(start.gripper):
        return opening, Limit(0)
    most = bounds.gripper_per_s * min(now_s - start.at_s, STANDS * bounds.period_s)
    within = min(max(opening, start.gripper - most), start.gripper + most)
    return within, Limit(0) if within == opening else Limit.GRIPPER


def _share(allowed: float, wanted: float) -> float:
    # Rounding may leave a debt, which allows nothing; nothing is what a standing arm wants.
    within = max(0.0, allowed)
    # A wish that just meets a limit is not held to it by rounding.
    return 1.0 if wanted <= within * (1.0 + 1e-9) else within / wanted


def _turn(start: Pose, end: Pose) -> Vector:
    return turn_of(product(end.quaternion, inverse(start.quaternion)))


def _length(vector: Vector) -> float:
    return math.sqrt(float(vector @ vector))
