"""How the guard words an answer, and a setpoint of its own."""

from __future__ import annotations

from agent.episode import NO_LIMIT, Limit
from bridges.guard.command import Command
from bridges.guard.state import Machine
from bridges.pose import Pose
from bridges.wire import UNASKED, Answer, Kind, Quaternion, Request, Vector


def answer_of(
    machine: Machine,
    sequence: int,
    received_s: float,
    reason: str,
    limits: Limit = NO_LIMIT,
    target: Command | None = None,
) -> Answer:
    """The answer out of the machine as it is; `applied_s` is left to who publishes the target."""
    nothing = Answer(sequence, machine.state, reason, received_s)
    position, quaternion = (
        _numbers(target.pose) if target else (nothing.position_m, nothing.quaternion_xyzw)
    )
    return Answer(
        sequence=sequence,
        state=machine.state,
        reason=reason,
        received_s=received_s,
        position_m=position,
        quaternion_xyzw=quaternion,
        gripper=target.gripper if target else nothing.gripper,
        limits=int(limits),
        by_hand=machine.by_hand,
    )


def setpoint(pose: Pose, gripper: float, now_s: float) -> Request:
    """A request of the guard to itself; its maker has slowed it already."""
    position, quaternion = _numbers(pose)
    return Request(
        UNASKED, Kind.MOVE, now_s, now_s, now_s, "", 2**31, position, quaternion, gripper
    )


def _numbers(pose: Pose) -> tuple[Vector, Quaternion]:
    x, y, z = (float(value) for value in pose.position_m)
    i, j, k, w = (float(value) for value in pose.quaternion)
    return (x, y, z), (i, j, k, w)
