"""Where a pose would lead the joints, to first order, and whether they may go there."""

from __future__ import annotations

import numpy as np

from agent.episode import Limit
from bridges.guard.bounds import Bounds
from bridges.guard.command import Measured, Refusal, Vector
from bridges.pose import Pose, inverse, product, turn_of
from calibration.franka import forward, jacobian

# Below this the Jacobian's inverse says nothing any more.
_BLIND = 1e-3
# A tool is not this far from the hand's tool point; joints and pose are then of two arms.
_APART_M = 0.5
# Encoders and descriptions differ by less than this.
_SLACK_RAD = 0.1


def check_reach(measured: Measured, pose: Pose, bounds: Bounds) -> None:
    """Refuse a pose that leads the joints into a margin or the arm into a singularity.

    q' = q + J^+ x, where x is the way from the measured pose. What leads out of a margin or a
    singularity that the arm is already in, is let through. Raises Refusal.
    """
    joints = measured.joints_rad
    outside = _excess(joints, bounds, -_SLACK_RAD)
    if outside.any():
        number = int(outside.argmax()) + 1
        raise Refusal(
            Limit.JOINT,
            f"joint {number} at {joints[number - 1]:.3f} rad is outside {bounds.model.name}'s "
            "limits; is this the right model?",
            stop=True,
        )
    tool, _ = forward(joints)
    reach = measured.pose.position_m - tool
    if not np.linalg.norm(reach) <= _APART_M:
        raise Refusal(
            Limit.JOINT,
            f"the pose is {np.linalg.norm(reach):.2f} m from where the joints put the tool; are "
            "both of one arm and in its base frame?",
            stop=True,
        )
    moves = _at_tool(jacobian(joints), reach)
    least = _least(moves)
    if least < _BLIND:
        raise Refusal(Limit.SINGULAR, f"singular arm ({least:.4f}); guide it out by hand")
    leads = joints + _joint_way(moves, measured.pose, pose)
    _check_joints(joints, leads, bounds)
    _check_singular(least, leads, reach, bounds)


def joints_at(measured: Measured, pose: Pose) -> Vector:
    """Where a pose leads the joints (7,) rad, to first order."""
    joints = measured.joints_rad
    moves = _at_tool(jacobian(joints), measured.pose.position_m - forward(joints)[0])
    return joints + _joint_way(moves, measured.pose, pose)


def _check_joints(joints: Vector, leads: Vector, bounds: Bounds) -> None:
    """Refuse where a joint would be in its margin and no nearer to leaving it."""
    margin = bounds.joint_margin_rad
    now, then = _excess(joints, bounds, margin), _excess(leads, bounds, margin)
    wrong = (then > 0.0) & (then >= now)
    if wrong.any():
        number = int(wrong.argmax()) + 1
        raise Refusal(
            Limit.JOINT,
            f"joint {number} would go from {joints[number - 1]:.3f} to {leads[number - 1]:.3f} "
            f"rad, nearer than {margin} rad to its end",
        )


def _check_singular(least: float, leads: Vector, reach: Vector, bounds: Bounds) -> None:
    """Refuse where the arm would be near a singularity and no nearer to leaving it."""
    then = _least(_at_tool(jacobian(leads), reach))
    if then < bounds.singular_min and then <= least:
        raise Refusal(
            Limit.SINGULAR,
            f"the least singular value would go from {least:.3f} to {then:.3f}, limit "
            f"{bounds.singular_min}",
        )


def _excess(joints: Vector, bounds: Bounds, margin: float) -> Vector:
    """How far each joint is past its limits drawn in by a margin, rad; 0 inside."""
    low = np.asarray(bounds.model.low_rad) + margin
    high = np.asarray(bounds.model.high_rad) - margin
    out: Vector = np.maximum(np.maximum(low - joints, joints - high), 0.0)
    return out


def _at_tool(moves: Vector, reach: Vector) -> Vector:
    """The Jacobian of a point `reach` (3,) m beyond the hand's tool point."""
    x, y, z = reach
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.vstack([moves[:3] - cross @ moves[3:], moves[3:]])


def _least(moves: Vector) -> float:
    return float(np.linalg.svd(moves, compute_uv=False)[-1])


def _joint_way(moves: Vector, start: Pose, end: Pose) -> Vector:
    """The shortest way of the joints (7,) rad that carries the tool from start to end."""
    turn = turn_of(product(end.quaternion, inverse(start.quaternion)))
    way = np.concatenate([end.position_m - start.position_m, turn])
    out: Vector = np.linalg.lstsq(moves, way, rcond=None)[0]
    return out
