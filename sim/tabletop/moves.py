"""What to do next for each kind of task, derived from geometry alone."""

from __future__ import annotations

import math

import numpy as np

from agent.episode import Action
from sim.tabletop.arm import DOWN, Float64Array, turn
from sim.tabletop.catalog import (
    BASKET_WALL_M,
    BUTTON_TOP_M,
    FULL_SCALE,
    PLATE_TOP_M,
    WIDEST_M,
    ZONE_HALF_M,
    Wish,
)
from sim.tabletop.goals import in_place
from sim.tabletop.world import World

_HOVER_M = 0.10  # tool height that clears everything on the table
_CARRY_M = 0.12
_STRIDE = 0.7  # longest move, in full scales
_GAIN = 0.8
_OPEN, _CLOSED = 1.0, 0.0
_UP = np.array([0.0, 0.0, 1.0])


def best_move(world: World, wish: Wish) -> Action:
    """The expert's move in this state."""
    match wish.kind:
        case "reach":
            top = world.things[wish.thing].half[2] + 0.016
            return _descend(world, world.where(wish.thing) + top * _UP, _CLOSED, tight_m=0.01)
        case "press":
            spot = world.where("button") + (BUTTON_TOP_M - 0.015) * _UP
            return _descend(world, spot, _CLOSED, tight_m=0.008)
        case "push":
            return _push(world, wish)
        case "lift" | "basket" | "plate" | "stack":
            if world.held(wish.thing):
                return _carry(world, wish)
            if wish.kind != "lift" and _over_place(world, wish):
                return _let_go(world)
            return _grasp(world, wish.thing)


def _grasp(world: World, name: str) -> Action:
    """Come down over a thing with open fingers and close them round it."""
    tool, thing = world.control.position, world.where(name)
    target = np.array([thing[0], thing[1], max(thing[2], 0.016)])
    aside = float(np.hypot(*(thing - tool)[:2]))
    low = tool[2] < target[2] + 0.012
    width = 2.0 * min(world.things[name].half[:2]) / WIDEST_M
    missed = world.opening < width - 0.15  # closed further than the thing allows
    if low and not missed and aside < (0.010 if world.opening > 0.9 else 0.02):
        return _toward(world, target, _CLOSED)
    if world.opening < 0.85:
        target[2] = _HOVER_M  # fingers half closed would come down on the thing
    return _descend(world, target, _OPEN, tight_m=0.006)


def _carry(world: World, wish: Wish) -> Action:
    """Bring the held thing over its place and let go of it there."""
    tool, thing = world.control.position, world.where(wish.thing)
    if wish.kind == "lift":
        return _toward(world, tool + 0.05 * _UP, _CLOSED)
    place = world.where(wish.place)
    half = world.things[wish.thing].half[2]
    height, tight_m = {
        "basket": (BASKET_WALL_M + 0.017, 0.012),
        "plate": (PLATE_TOP_M + half + 0.003, 0.008),
        "stack": (place[2] + half + 0.022, 0.004),
    }[wish.kind]
    goal = np.array([place[0], place[1], height])
    error = goal - thing
    if math.hypot(*error[:2]) < tight_m + 0.004 and abs(error[2]) < 0.006:
        return _toward(world, tool, _OPEN)
    return _descend(world, tool + error, _CLOSED, tight_m=tight_m, hover_m=_CARRY_M)


def _over_place(world: World, wish: Wish) -> bool:
    """Whether a thing just let go of needs no more help."""
    if in_place(world, wish):
        return True
    aside = np.abs(world.where(wish.thing) - world.where(wish.place))[:2].max()
    return bool(aside < {"basket": 0.05, "plate": 0.03, "stack": 0.012}[wish.kind])


def _let_go(world: World) -> Action:
    """Open, and only then draw back upwards."""
    tool = world.control.position
    up = 0.05 if world.opening > 0.75 and tool[2] < 0.2 else 0.0
    return _toward(world, tool + up * _UP, _OPEN)


def _push(world: World, wish: Wish) -> Action:
    """Get behind the block, low and closed, and shove it along the line to the zone."""
    tool, block, zone = world.control.position, world.where(wish.thing), world.where(wish.place)
    if in_place(world, wish) and abs(block[0] - zone[0]) < 0.5 * ZONE_HALF_M[0]:
        return _toward(world, np.array([tool[0], tool[1], _HOVER_M]), _CLOSED)
    reach_y = 0.6 * ZONE_HALF_M[1]
    aim_y = float(np.clip(block[1], zone[1] - reach_y, zone[1] + reach_y))
    along = np.array([zone[0] - block[0], aim_y - block[1]])
    along /= max(float(np.hypot(*along)), 1e-6)
    across = np.array([-along[1], along[0]])
    offset = tool[:2] - block[:2]
    behind, aside = float(offset @ along), float(offset @ across)
    reach = world.things[wish.thing].half[0] + 0.011
    if tool[2] < 0.035 and -reach - 0.05 < behind < -reach + 0.012 and abs(aside) < 0.016:
        shove = 0.03 * along - _GAIN * aside * across
        return _toward(world, np.array([*(tool[:2] + shove), 0.02]), _CLOSED)
    start = block[:2] - (reach + 0.022) * along
    return _descend(world, np.array([*start, 0.02]), _CLOSED, tight_m=0.012)


def _descend(
    world: World, target: Float64Array, opening: float, *, tight_m: float, hover_m: float = _HOVER_M
) -> Action:
    """Travel to a target down a funnel: high while far aside, at its height once above it."""
    tool = world.control.position
    aside = float(np.hypot(*(target - tool)[:2]))
    floor = target[2] + max(0.0, hover_m - target[2]) * min(max((aside - tight_m) / 0.03, 0.0), 1.0)
    # Below the funnel there are things to run into: go up first.
    free = min(max(1.0 - (floor - tool[2] - 0.01) / 0.04, 0.0), 1.0)
    ahead = tool[:2] + free * (target - tool)[:2]
    return _toward(world, np.array([*ahead, floor]), opening)


def _toward(world: World, target: Float64Array, opening: float) -> Action:
    """A move towards a target, no longer than the stride, that also levels the hand."""
    control = world.control
    move = _GAIN * (target - control.position) / FULL_SCALE[0]
    level = -0.5 * turn(control.axes @ DOWN.T) / FULL_SCALE[3]
    delta = np.concatenate([_no_longer(move, _STRIDE), _no_longer(level, 0.5)])
    return Action(delta.astype(np.float32), opening)


def _no_longer(vector: Float64Array, limit: float) -> Float64Array:
    length = float(np.linalg.norm(vector))
    return vector if length <= limit else vector * (limit / length)
