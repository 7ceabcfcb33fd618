"""Picking a thing up and putting it in or on its place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.libero.grasp import Grasp, find_grasps, strikes
from sim.libero.motion import Move, downward, fly, from_tilted, turn_to, yaw
from sim.libero.places import Place, find_place
from sim.libero.sight import Sight

Float64Array = NDArray[np.float64]

_OPEN_M = 0.07  # a gap from which the fingers are open
_CLOSING_STEPS = 14
_STALL_STEPS = 12
_LOST_STEPS = 3  # without any touch, before what was held counts as lost
_MOVED_M = 0.012
_HOVER_M = 0.05
_CLIMB_M = 0.03


class Carry:
    """Carries one thing to one place; what is lost on the way is taken up again.

    Where it stands is read from the scene at every step. Kept in mind is only what the scene does
    not show: the grasp it made up its mind for, whether it is letting go, and how often it failed.
    """

    def __init__(self, relation: str, thing: str, target: str, *, slides: bool) -> None:
        self._relation, self._thing, self._target = relation, thing, target
        self._slides = slides
        self._aside: Place | None = None
        self._grasp: Grasp | None = None
        self._held_from: Float64Array = np.zeros(3)
        self._tries = 0
        self._closing = 0
        self._parting: Float64Array | None = None
        self._parting_steps = self._lost = 0
        self._progress = Progress()
        self.busy = False

    def next(self, sight: Sight) -> Move:
        """Give the move for the scene as it is now."""
        held = self._in_hand(sight)
        if self._parting is not None:
            move = self._part(sight, self._parting)
            if move is not None:
                return move
        self.busy = held
        if held:
            self._closing = 0
            return self._bring(sight)
        return self._fetch(sight)

    def _in_hand(self, sight: Sight) -> bool:
        left, right = sight.touching(self._thing)
        if not (left or right) or sight.gap() > 0.078:
            self._lost += 1
            return self.busy and self._parting is None and self._lost < _LOST_STEPS
        self._lost = 0
        firm = left and right and sight.gap_speed() < 0.02
        # On the way one finger may lose touch for an instant.
        return firm or (self.busy and self._parting is None)

    # Fetching

    def _fetch(self, sight: Sight) -> Move:
        origin = sight.origin(self._thing).position
        grasp = self._grasp
        moved = np.linalg.norm(origin - self._held_from) > _MOVED_M
        if grasp is None or (moved and not self._closing):
            grasp = self._grasp = self._choose(sight, origin)
        tool, rotation = sight.tool, from_tilted(sight.tool, downward(grasp.angle))
        error = grasp.point - tool.position
        flat, above = float(np.linalg.norm(error[:2])), float(-error[2])
        turn = float(np.linalg.norm(turn_to(tool.rotation, rotation)))
        there = flat < 0.007 and above < 0.004
        stuck = self._progress.stalled(
            (grasp.point, "fetch"), float(np.linalg.norm(error)) + 0.1 * turn
        )
        if self._closing or there or (stuck and flat < 0.02 and above < 0.025):
            self._closing += 1
            if self._closing > _CLOSING_STEPS:
                self._fail()
            return Move(grasp.point, rotation, 0.0)
        if stuck:
            self._fail()
        lined_up = (flat < 0.007 and turn < 0.08) or (
            flat < 0.015 and above < _HOVER_M - 0.02 and turn < 0.2
        )
        if lined_up and sight.gap() > _OPEN_M:
            return Move(grasp.point, rotation, 1.0)
        hover = grasp.point + np.array([0.0, 0.0, _HOVER_M])
        around = sight.points(*sight.names)
        point = fly(tool, hover, around)
        if point[2] > tool.position[2] + _CLIMB_M and tool.rotation[2, 2] < -0.85:
            rotation = downward(yaw(tool))  # up first: a turning hand strikes its neighbours
        return Move(point, rotation, 1.0)

    def _choose(self, sight: Sight, origin: Float64Array) -> Grasp:
        cloud, rest = sight.points(self._thing), sight.others(self._thing)
        grasps = find_grasps(cloud, rest, sight.world.base())
        place = self._find(sight)
        shift = place.point - origin
        shift[2] = max(shift[2], 0.0)
        beyond = sight.others(self._thing, place.owner or "")

        def cost(grasp: Grasp) -> float:
            there = grasp.point + shift + np.array([0.0, 0.0, 0.02])
            return grasp.total + 0.3 * min(strikes(there, grasp.angle, beyond), 11.0)

        grasps = sorted(grasps, key=cost)
        self._held_from = origin
        return grasps[self._tries % len(grasps)]

    def _fail(self) -> None:
        self._tries += 1
        self._grasp, self._closing = None, 0
        self._progress = Progress()

    def _find(self, sight: Sight) -> Place:
        if self._relation != "aside":
            return find_place(sight, self._relation, self._thing, self._target)
        # Any free spot will do, so the first one found stays the one.
        if self._aside is None:
            self._aside = find_place(sight, self._relation, self._thing, self._target)
        return self._aside

    # Bringing

    def _bring(self, sight: Sight) -> Move:
        tool, origin = sight.tool, sight.origin(self._thing).position
        cloud, around = sight.points(self._thing), sight.others(self._thing)
        place = self._find(sight)
        rotation = self._turned(sight, place)
        goal = tool.position + place.point - origin
        goal[2] = place.tool_height(tool.position, cloud)
        level = float(np.linalg.norm(goal[:2] - tool.position[:2]))
        turn = float(np.linalg.norm(turn_to(tool.rotation, rotation)))
        stuck = self._progress.stalled(
            (place.point, "bring"), float(np.linalg.norm(goal - tool.position)) + 0.1 * turn
        )
        lined_up = level < 0.008 and turn < 0.1
        near = level < 0.02 and tool.position[2] < goal[2] + 0.05
        if ((lined_up or near) and tool.position[2] < goal[2] + 0.005) or (stuck and level < 0.03):
            self._let_go(sight)
        if self._parting is not None:
            return Move(tool.position, rotation, 1.0)
        if lined_up or near:
            return Move(goal, rotation, 0.0)
        if self._slides:
            return Move(goal, rotation, 0.0)
        return Move(fly(tool, goal + np.array([0, 0, 0.01]), around, cloud), rotation, 0.0)

    def _turned(self, sight: Sight, place: Place) -> Float64Array:
        tool = sight.tool
        angle = yaw(tool)
        if self._grasp is not None and place.turn is None:
            return downward(nearest_angle(self._grasp.angle, angle))
        return downward(angle + (place.turn or 0.0))

    # Letting go

    def _let_go(self, sight: Sight) -> None:
        self._parting, self._parting_steps = sight.tool.position, 0
        self.busy = True

    def _part(self, sight: Sight, start: Float64Array) -> Move | None:
        """Open, then rise; None once the hand is clear."""
        tool = sight.tool
        self._parting_steps += 1
        angle = yaw(tool)
        rotation = downward(angle)
        opened = sight.gap() > _OPEN_M or self._parting_steps > 10
        if not opened or self._parting_steps < 3:
            return Move(start, rotation, 1.0)
        top = float(sight.points(self._thing)[:, 2].max())
        clear = min(start[2] + 0.08, max(top + 0.03, start[2] + 0.02))
        if tool.position[2] < clear - 0.01 and self._parting_steps < 30:
            return Move(np.array([*start[:2], clear + 0.01]), rotation, 1.0)
        self._parting, self._grasp, self.busy = None, None, False
        self._tries += 1
        self._progress = Progress()
        return None


class Progress:
    """Notes whether an error still shrinks."""

    def __init__(self) -> None:
        self._key: object = None
        self._point = np.zeros(3)
        self._best, self._steps = np.inf, 0

    def stalled(self, key: tuple[Float64Array, str], error: float) -> bool:
        """Whether an error has not shrunk by a millimetre in twelve steps for the same aim."""
        point, about = key
        if about != self._key or np.linalg.norm(point - self._point) > 0.02:
            self._key, self._point, self._best, self._steps = about, point, np.inf, 0
        if error < self._best - 0.001:
            self._best, self._steps = error, 0
        else:
            self._steps += 1
        return self._steps > _STALL_STEPS


def nearest_angle(angle: float, to: float) -> float:
    """Of the two angles that mean the same to two like fingers, the one nearer to `to`."""
    return to + (angle - to + np.pi / 2) % np.pi - np.pi / 2
