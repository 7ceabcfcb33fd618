"""Where a thing must go for LIBERO's predicates to hold, and how low to bring it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.libero.sight import Joint, Sight

Float64Array = NDArray[np.float64]

_ABOVE_RIM_M = 0.02
_BESIDE_DRAWER_M = 0.02  # room for the hand beside an open drawer
_AHEAD_M = 0.25
_GIVE_M = 0.004  # a thing is let go this far above what bears it


@dataclass(frozen=True, slots=True)
class Place:
    """A point (3,) m for a thing's own frame; whose it is; how far the hand must turn, rad.

    rim: height, m, that the fingers stay above where a thing is dropped in; None where it is set
    down. footing: (n, 3) m, points of what bears it.
    """

    point: Float64Array
    owner: str | None
    turn: float | None
    rim: float | None
    footing: Float64Array

    def tool_height(self, tool: Float64Array, cloud: Float64Array) -> float:
        """Height of the tool, m, at which the thing may be let go."""
        hang = float(tool[2] - cloud[:, 2].min())
        if self.rim is not None:
            return max(self.rim + _ABOVE_RIM_M, float(self.point[2]) - 0.05 + hang)
        reach = np.linalg.norm(self.footing[:, :2] - self.point[:2], axis=1)
        under = self.footing[reach < 0.05]
        bottom = self.point[2] - _GIVE_M
        floor = float(under[:, 2].max()) if len(under) else float(bottom)
        return floor + hang + _GIVE_M


def find_place(sight: Sight, relation: str, thing: str, target: str) -> Place:
    """Find where a thing has to go."""
    if relation == "aside":
        return find_aside(sight, thing, target)
    owner = sight.owner(target)
    pose, half = sight.origin(target), sight.extent(target)
    footing = sight.points(owner) if owner else np.empty((0, 3))
    if half is None:
        return Place(pose.position, owner, None, None, footing)
    if relation == "in":
        return _inside(sight, thing, target, owner, half, footing)
    normal = pose.rotation[:, 2]
    if abs(normal[2]) < 0.9:  # a sloping rack: LIBERO measures along the region's own axes
        return Place(_up_the_slope(sight, target), owner, None, None, footing)
    return Place(_slot(sight, thing, target, half), owner, None, None, footing)


def _inside(
    sight: Sight,
    thing: str,
    target: str,
    owner: str | None,
    half: Float64Array,
    footing: Float64Array,
) -> Place:
    middle = sight.origin(target).position
    near = np.all(np.abs(footing[:, :2] - middle[:2]) < half[:2] + 0.03, axis=1)
    rim = footing[near & (footing[:, 2] < middle[2] + half[2] + 0.04)]
    top = float(rim[:, 2].max()) if len(rim) else float(middle[2] + half[2])
    turn = _turn_to_fit(sight, thing, half)
    spot = _spot(sight, thing, target, middle, half)
    return Place(spot, owner, turn, top, footing)


def _turn_to_fit(sight: Sight, thing: str, half: Float64Array) -> float | None:
    """Give the turn that lays a thing's long side along a narrow region's, None where any fits."""
    cloud = sight.points(thing)[:, :2]
    cloud = cloud - cloud.mean(axis=0)
    if half[:2].min() > 0.04:
        return None
    values, axes = np.linalg.eigh(cloud.T @ cloud)
    if values[1] < 1.5 * values[0]:
        return None
    long_side = axes[:, 1]
    wanted = 0.0 if half[0] > half[1] else np.pi / 2
    left = wanted - float(np.arctan2(long_side[1], long_side[0]))
    return float((left + np.pi / 2) % np.pi - np.pi / 2)


def _spot(
    sight: Sight, thing: str, target: str, middle: Float64Array, half: Float64Array
) -> Float64Array:
    """Of a few spots in a region, the one furthest from what is there, the middle before others."""
    there = [
        sight.origin(name).position
        for name in sight.world.movables()
        if name != thing and not target.startswith(name)
    ]
    taken = [
        point[:2]
        for point in there
        if np.all(np.abs(point[:2] - middle[:2]) < half[:2] + 0.02) and point[2] > middle[2] - 0.15
    ]
    if not taken:
        return middle
    sides = np.array([-0.55, 0.0, 0.55])
    spots = [middle + half * np.array([x, y, 0.0]) for x in sides for y in sides]
    return max(spots, key=lambda spot: min(float(np.linalg.norm(spot[:2] - t)) for t in taken))


def _slot(sight: Sight, thing: str, target: str, half: Float64Array) -> Float64Array:
    """The middle of a region, or one end of it where two things go there."""
    middle = sight.origin(target).position
    sharing = sorted(
        goal[1] for goal in sight.world.goal() if goal[0] == "on" and goal[2] == target
    )
    if len(sharing) != 2:
        return middle
    side = -0.75 if thing == sharing[0] else 0.75
    return np.asarray(middle + side * half * np.array([1.0, 0.0, 0.0]))


def _up_the_slope(sight: Sight, target: str) -> Float64Array:
    pose = sight.origin(target)
    # LIBERO turns the offset by the region's rotation, not by its inverse: so does this.
    along = pose.rotation.T @ np.array([0.0, 0.0, 1.0])
    return np.asarray(pose.position + 0.05 * along)


def in_the_way(sight: Sight, thing: str, drawer: Joint) -> bool:
    """Whether a thing stands where a drawer, or the hand beside it, will be."""
    return _gap(sight.points(thing)[:, :2], _swept(drawer)) < _BESIDE_DRAWER_M


def find_aside(sight: Sight, thing: str, region: str) -> Place:
    """Find the nearest free spot of the table that is not before a drawer."""
    drawer = sight.joint(sight.owner(region) or "", region)
    swept = _swept(drawer)
    # Nor further out, where the arm would have to reach over the drawer.
    ahead = _AHEAD_M * drawer.outward[:2]
    swept = np.stack(
        [np.minimum(swept[0], swept[0] + ahead), np.maximum(swept[1], swept[1] + ahead)]
    )
    origin = sight.origin(thing).position
    radius = float(np.ptp(sight.points(thing)[:, :2], axis=0).max()) / 2
    rest = sight.others(thing)
    standing = [name for name in sight.world.movables() if name != thing]
    floor = float(sight.points(*standing)[:, 2].min())
    steps = np.arange(-0.20, 0.21, 0.01)
    moves = sorted(((x, y) for x in steps for y in steps), key=lambda move: float(np.hypot(*move)))
    for move in moves:
        spot = np.array([*(origin[:2] + move), floor])
        clear = _gap(spot[None, :2], swept) > radius + _BESIDE_DRAWER_M + 0.005
        if clear and np.linalg.norm(rest[:, :2] - spot[:2], axis=1).min() > radius + 0.005:
            return Place(spot, None, None, None, np.empty((0, 3)))
    return Place(origin, None, None, None, np.empty((0, 3)))


def _swept(drawer: Joint) -> Float64Array:
    """(2, 2) m: lowest and highest corner, level, of what a drawer covers on its way out."""
    now = drawer.points()[:, :2]
    out = now + (1.0 - drawer.share) * drawer.length * drawer.outward[:2]
    both = np.concatenate([now, out])
    return np.stack([both.min(axis=0), both.max(axis=0)])


def _gap(points: Float64Array, box: Float64Array) -> float:
    """Level distance, m, between points and a box given by two corners."""
    off = np.maximum(box[0] - points, points - box[1]).clip(0.0)
    return float(np.linalg.norm(off, axis=1).min())
