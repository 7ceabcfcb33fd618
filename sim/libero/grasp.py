"""Choose where a hand that points down takes hold of a thing, from collision geometry."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]

# The Panda hand about the point between its fingertips, metres.
_TIP_DEPTH = 0.012  # how far the fingers reach below that point
_PALM_HEIGHT = 0.036  # how far above it the palm begins
_FINGER = (0.036, 0.064, 0.014)  # open finger: inner and outer distance, half its breadth
_PALM = (0.108, 0.036)  # half length and half breadth
_WIDEST = 0.072  # what fits between the open fingers with room to miss
_MARGIN = 0.004
_KNOB_M, _KNOB_WIDE_M = 0.016, 0.045  # what stands out at the top of a thing and can be held
_EASY_REACH = 0.72  # from the base, level; some 6 cm beyond it the elbow is straight and sticks


@dataclass(frozen=True, slots=True)
class Grasp:
    """A point (3,) m between the fingertips, and the direction of the fingers' axis, rad.

    cost: lower is better; above 10 the hand would strike something. reach: what is added for
    being far from the arm.
    """

    point: Float64Array
    angle: float
    cost: float
    reach: float = 0.0

    @property
    def total(self) -> float:
        """Cost and reach together."""
        return self.cost + self.reach


def find_grasps(thing: Float64Array, others: Float64Array, base: Float64Array) -> list[Grasp]:
    """All grasps of a thing worth trying, best first.

    thing, others: (n, 3) m, surface points of the thing and of all else.
    base: (3,) m, where the arm stands.
    What fits between the fingers is taken about its middle, what does not by its rim.
    """
    angles = np.pi / 2 + np.deg2rad(np.arange(-90, 90, 7.5))
    solid = [_around(thing, others, float(angle)) for angle in angles]
    found = [grasp for grasp in solid if grasp is not None]
    if not found:
        knob = [_by_knob(thing, others, float(angle)) for angle in angles]
        found = [grasp for grasp in knob if grasp is not None]
    if not found:
        turns = np.deg2rad(np.arange(0, 360, 15))
        found = [_on_rim(thing, others, float(turn)) for turn in turns]
    reached = [replace(grasp, reach=_reach(grasp.point, base)) for grasp in found]
    return sorted(reached, key=lambda grasp: grasp.total)


def _around(thing: Float64Array, others: Float64Array, angle: float) -> Grasp | None:
    height = _height(thing, below_top=0.03)
    u, v = _across(thing, angle)
    # The body is about its middle; the fingers close on the slice at their own height.
    middle_v = (v.min() + v.max()) / 2
    near = (np.abs(v - middle_v) < _FINGER[2] + 0.006) & (thing[:, 2] < height + 0.02)
    near &= thing[:, 2] > height - 0.03
    if not near.any():
        return None
    low, high = u[near].min(), u[near].max()
    if high - low > _WIDEST:
        return None
    cos, sin = np.cos(angle), np.sin(angle)
    middle_u = (low + high) / 2
    point = np.array([middle_u * cos - middle_v * sin, middle_u * sin + middle_v * cos, height])
    narrowness = 5.0 * (high - low)
    return Grasp(point, angle, narrowness + _turning(angle) + strikes(point, angle, others))


def _by_knob(thing: Float64Array, others: Float64Array, angle: float) -> Grasp | None:
    """A wide thing with a narrow top, as a pot's lid has, is held by that."""
    top = float(thing[:, 2].max())
    knob = thing[thing[:, 2] > top - _KNOB_M / 2]
    middle = (knob[:, :2].min(axis=0) + knob[:, :2].max(axis=0)) / 2
    if np.ptp(knob[:, :2], axis=0).max() > _KNOB_WIDE_M:
        return None
    u, v = _across(thing[:, :2] - middle, angle)
    beside = (np.abs(u) > _KNOB_WIDE_M / 2) & (np.abs(u) < _FINGER[1]) & (np.abs(v) < _FINGER[2])
    below = float(thing[beside, 2].max()) if beside.any() else top - _KNOB_M
    height = max(below + _TIP_DEPTH + 0.001, top - 0.008)
    if height > top - 0.002:
        return None
    point = np.append(middle, height)
    return Grasp(point, angle, _turning(angle) + strikes(point, angle, others))


def _on_rim(thing: Float64Array, others: Float64Array, turn: float) -> Grasp:
    middle = (thing[:, :2].min(axis=0) + thing[:, :2].max(axis=0)) / 2
    outward = np.array([np.cos(turn), np.sin(turn)])
    top = thing[:, 2].max()
    flat = thing[:, :2] - middle
    in_sector = np.abs(flat @ np.array([-outward[1], outward[0]])) < _FINGER[2]
    rim = in_sector & (thing[:, 2] > top - 0.02) & (flat @ outward > 0)
    # The wall leans: between the outermost point and the top edge lies its middle.
    radius = float((flat[rim] @ outward).max()) - 0.004 if rim.any() else 0.04
    # A plate's rim is so low that the fingers would meet the table.
    height = max(top - 0.018, float(thing[:, 2].min()) + _TIP_DEPTH + 0.002)
    point = np.append(middle + radius * outward, height)
    angle = turn % np.pi  # the two fingers are alike
    return Grasp(point, angle, _turning(angle) + strikes(point, angle, others))


def _height(thing: Float64Array, below_top: float) -> float:
    low, top = float(thing[:, 2].min()), float(thing[:, 2].max())
    return max(low + _TIP_DEPTH + 0.001, top - below_top)


def _across(points: Float64Array, angle: float) -> tuple[Float64Array, Float64Array]:
    cos, sin = np.cos(angle), np.sin(angle)
    return points[:, 0] * cos + points[:, 1] * sin, points[:, 1] * cos - points[:, 0] * sin


def _turning(angle: float) -> float:
    # The hand starts with its fingers along y; a wide turn is slow and nears the wrist's limits.
    return 0.3 * abs(angle - np.pi / 2)


def _reach(point: Float64Array, base: Float64Array) -> float:
    level = float(np.linalg.norm(point[:2] - base[:2]))
    return 20.0 * max(0.0, level - _EASY_REACH)


def strikes(point: Float64Array, angle: float, others: Float64Array) -> float:
    """Give 10 and more where the open hand, on its way down, would meet other things."""
    if not len(others):
        return 0.0
    u, v = _across(others - point, angle)
    up = others[:, 2] - point[2]
    inner, outer, breadth = _FINGER
    finger = (np.abs(u) > inner - _MARGIN) & (np.abs(u) < outer + _MARGIN)
    finger &= (np.abs(v) < breadth + _MARGIN) & (up > -_TIP_DEPTH)
    palm = (np.abs(u) < _PALM[0] + _MARGIN) & (np.abs(v) < _PALM[1] + _MARGIN)
    palm &= up > _PALM_HEIGHT - _MARGIN
    hits = int((finger | palm).sum())
    return 10.0 + min(hits, 1000) / 100 if hits else 0.0
