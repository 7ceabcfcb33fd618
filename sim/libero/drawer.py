"""Opening and closing drawers by their handles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.libero.motion import AT_REST, Move, downward, fly, pointing, turn_to, yaw
from sim.libero.sight import Joint, Sight

Float64Array = NDArray[np.float64]

_BEFORE_M = 0.10  # where the hand lines up, before the handle
_PULL_TILT_RAD = np.deg2rad(75)  # 0 points down, 90 degrees straight at the front
_PUSH_TILT_RAD = np.deg2rad(35)  # so that the hand does not meet the handle above
_TURN_WITHIN_M = 0.05
_CLOSING_STEPS = 12


class Drawer:
    """Pulls a drawer open with two fingers on its handle, or pushes it shut with them closed."""

    def __init__(self, region: str, *, opens: bool) -> None:
        self._region, self._opens = region, opens
        self._gripping = 0
        self._leaving = 0
        self._left: Float64Array = np.zeros(3)
        self.busy = False

    def next(self, sight: Sight) -> Move:
        """Give the move for the scene as it is now."""
        owner = sight.owner(self._region) or self._region
        joint = sight.joint(owner, self._region)
        handle, out = joint.foremost(), joint.outward
        tilt = _PULL_TILT_RAD if self._opens else _PUSH_TILT_RAD
        along = -out * np.sin(tilt) - np.array([0, 0, 1.0]) * np.cos(tilt)
        side = np.cross(out, [0.0, 0.0, 1.0])
        if not self._opens:
            return self._push(sight, handle, _like(sight, pointing(along, side)), out)
        # The bar lies level: one finger goes over it and one under.
        rotation = _like(sight, pointing(along, np.cross(side, along)))
        return self._pull(sight, joint, handle, along, rotation)

    def _pull(
        self,
        sight: Sight,
        joint: Joint,
        handle: Float64Array,
        along: Float64Array,
        rotation: Float64Array,
    ) -> Move:
        tool = sight.tool
        if self._leaving or sight.holds(("open", self._region)):
            return self._leave(sight, along, rotation)
        offset = tool.position - handle
        beside = float(np.linalg.norm(offset - (offset @ along) * along))
        before = -float(offset @ along)
        turn = turn_norm(sight, rotation)
        if self._gripping:
            self._gripping += 1
            closed = self._gripping > _CLOSING_STEPS or (
                self._gripping > 5 and sight.gap_speed() < 0.01
            )
            if self._gripping > _CLOSING_STEPS and (sight.gap() < 0.006 or beside > 0.03):
                self._gripping = 0
            pull = joint.outward * (0.06 if closed else 0.0)
            self.busy = True
            return Move(handle + pull, rotation, 0.0)
        if beside < 0.015 and before < 0.012 and turn < 0.3:
            self._gripping = 1
            return Move(handle, rotation, 1.0)
        if beside < 0.015 and turn < 0.15 and sight.gap() > 0.07:
            return Move(handle, rotation, 1.0)
        ready = handle - along * _BEFORE_M
        return approach(sight, ready, rotation, 1.0)

    def _leave(self, sight: Sight, along: Float64Array, rotation: Float64Array) -> Move:
        """Let go, and back out the way it came before anything else."""
        self._leaving += 1
        self.busy = self._leaving < 18
        if self._leaving < 6:
            self._left = sight.tool.position
            return Move(self._left, rotation, 1.0)
        clear = self._left - 0.10 * along
        if self._leaving < 12:
            return Move(clear, rotation, 1.0)
        return Move(clear + np.array([0, 0, 0.10]), AT_REST, 1.0)

    def _push(
        self,
        sight: Sight,
        handle: Float64Array,
        rotation: Float64Array,
        out: Float64Array,
    ) -> Move:
        tool = sight.tool
        flat = handle - tool.position
        beside = float(np.linalg.norm(flat - (flat @ out) * out))
        if (
            beside < 0.03
            and tool.position @ out > handle @ out - 0.02
            and turn_norm(sight, rotation) < 0.35
        ):
            return Move(handle - 0.08 * out, rotation, 0.0)
        return approach(sight, handle + 0.08 * out, rotation, 0.0)


def approach(sight: Sight, ready: Float64Array, rotation: Float64Array, opening: float) -> Move:
    """Give the next move towards a pose before a front, over what stands between."""
    tool = sight.tool
    point = fly(tool, ready, sight.points(*sight.names), lowest=float(ready[2]))
    if np.linalg.norm(ready[:2] - tool.position[:2]) > _TURN_WITHIN_M:
        # Turned hands are broad: they turn where there is room.
        rotation = downward(yaw(tool))
    return Move(point, rotation, opening)


def _like(sight: Sight, rotation: Float64Array) -> Float64Array:
    """Of the two poses that mean the same to two like fingers, the nearer one."""
    other = pointing(rotation[:, 2], -rotation[:, 0])
    return min(rotation, other, key=lambda pose: turn_norm(sight, pose))


def turn_norm(sight: Sight, rotation: Float64Array) -> float:
    """How far the hand still has to turn, rad."""
    return float(np.linalg.norm(turn_to(sight.tool.rotation, rotation)))
