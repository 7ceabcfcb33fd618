"""Moving the hand: towards a pose, and over whatever stands on the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.episode import Action
from sim.libero.world import Pose

Float64Array = NDArray[np.float64]

_GAIN = 2.2  # share of the error asked for in each step; OSC alone is slower
_LEAD_S = 0.05  # the arm is thought to be where it will be then, or it swings past its goal
_MOVE_M, _TURN_RAD = 0.05, 0.5  # what a delta of 1.0 stands for
_TIP_M = 0.012  # the fingers reach this far below the tool's point
_PALM_M = 0.036  # the palm begins this far above it
_FINGERS_REACH_M, _PALM_REACH_M = 0.075, 0.12  # how far they reach to the side
_ROOM_M = 0.02


@dataclass(frozen=True, slots=True)
class Move:
    """Where the tool should be, (3,) m, how it should be turned, and how far it should be open."""

    point: Float64Array
    rotation: Float64Array
    opening: float


def action(tool: Pose, speed: Float64Array, move: Move) -> Action:
    """Give a proportional step towards a move; speed: (3,) m/s, of the tool."""
    ahead = tool.position + _LEAD_S * speed
    step = _GAIN * (move.point - ahead) / _MOVE_M
    # A long way is flown straight: the largest component is at full scale, the rest in proportion.
    step /= max(1.0, float(np.abs(step).max()))
    turn = np.clip(_GAIN * turn_to(tool.rotation, move.rotation) / _TURN_RAD, -1.0, 1.0)
    return Action(np.concatenate([step, turn]).astype(np.float32), move.opening)


def downward(angle: float) -> Float64Array:
    """(3, 3): a hand pointing down, its fingers' axis along `angle`, rad."""
    return pointing(np.array([0.0, 0.0, -1.0]), np.array([np.cos(angle), np.sin(angle), 0.0]))


def pointing(along: Float64Array, fingers: Float64Array) -> Float64Array:
    """(3, 3): a hand pointing `along`, its fingers' axis along `fingers`; both (3,) of length 1."""
    return np.stack([fingers, np.cross(along, fingers), along], axis=1)


# How the hand begins. From a tilted hand the way to any other pose goes by this one, or the wrist
# runs into its limits.
AT_REST = downward(np.pi / 2)


def yaw(tool: Pose) -> float:
    """Direction of the fingers' axis of a hand that points down, rad."""
    return float(np.arctan2(tool.rotation[1, 0], tool.rotation[0, 0]))


def from_tilted(tool: Pose, rotation: Float64Array) -> Float64Array:
    """Give the rotation to turn to next on the way to a hand that points down."""
    return AT_REST if tool.rotation[2, 2] > -0.85 else rotation


def turn_to(rotation: Float64Array, wanted: Float64Array) -> Float64Array:
    """(3,) rad: the rotation vector from one rotation to another, the shorter way."""
    left = wanted @ rotation.T
    axis = np.array([left[2, 1] - left[1, 2], left[0, 2] - left[2, 0], left[1, 0] - left[0, 1]])
    sine = float(np.linalg.norm(axis)) / 2
    turned = np.arctan2(sine, (np.trace(left) - 1) / 2)
    return np.asarray(axis / (2 * sine) * turned) if sine > 1e-9 else np.zeros(3)


def fly(
    tool: Pose,
    goal: Float64Array,
    around: Float64Array,
    held: Float64Array | None = None,
    lowest: float = 0.0,
) -> Float64Array:
    """Give the next point on a way over all that stands between here and above `goal`.

    around: (n, 3) m, points of what must not be struck. held: points of what the hand carries.
    It rises first, goes level next, and comes down to the goal's height once above it.
    """
    level = float(np.linalg.norm(goal[:2] - tool.position[:2]))
    need = max(_needed(tool.position, goal, around, held, tool), float(goal[2]), lowest)
    if level < 0.01:
        return goal
    if tool.position[2] < need - 0.02:
        # Within a hand's breadth of where it goes, a slant is as safe as a climb.
        share = 0.0 if level > 0.03 else 1.0
        return np.array([*(tool.position[:2] + share * (goal[:2] - tool.position[:2])), need])
    return np.array([*goal[:2], need])


def _needed(
    here: Float64Array,
    goal: Float64Array,
    around: Float64Array,
    held: Float64Array | None,
    tool: Pose,
) -> float:
    """Height of the tool, m, that clears everything on the way."""
    off = _off_the_way(around[:, :2], here[:2], goal[:2])
    heights = around[:, 2]
    need = max(
        _top(heights[off < _FINGERS_REACH_M]) + _TIP_M,
        _top(heights[off < _PALM_REACH_M]) - _PALM_M,
    )
    if held is not None and len(held):
        hang = float(tool.position[2] - held[:, 2].min())
        reach = min(float(np.linalg.norm(held[:, :2] - here[:2], axis=1).max()), 0.15)
        need = max(need, _top(heights[off < reach + 0.01]) + hang)
    return need + _ROOM_M


def _top(heights: Float64Array) -> float:
    return float(heights.max()) if len(heights) else -1.0


def _off_the_way(points: Float64Array, start: Float64Array, end: Float64Array) -> Float64Array:
    way = end - start
    length = float(way @ way)
    share = (
        np.clip((points - start) @ way / length, 0, 1) if length > 1e-9 else np.zeros(len(points))
    )
    return np.asarray(np.linalg.norm(points - start - share[:, None] * way, axis=1))
