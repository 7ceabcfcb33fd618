"""When a task is done, judged from the physics alone."""

from __future__ import annotations

import numpy as np

from sim.tabletop.arm import Float64Array
from sim.tabletop.catalog import (
    BASKET_HALF_M,
    BASKET_WALL_M,
    PLATE_RADIUS_M,
    ZONE_HALF_M,
    Wish,
)
from sim.tabletop.world import World

_TOUCH_M = 0.02
_KNOCKED_M = 0.02
_PRESSED = 0.7
_LIFTED_M = 0.06
_STILL_M_S = 0.05


def met(world: World, wish: Wish, began: Float64Array) -> bool:
    """Whether the goal is met right now. began: (3,) m, where the thing was at the start."""
    match wish.kind:
        case "reach":
            knocked = float(np.linalg.norm(world.where(wish.thing) - began))
            return bool(
                surface_distance(world, wish.thing, world.tip) <= _TOUCH_M and knocked <= _KNOCKED_M
            )
        case "press":
            return world.pressed >= _PRESSED
        case "push":
            low = world.where(wish.thing)[2] < began[2] + 0.01
            return bool(low) and in_place(world, wish) and not world.held(wish.thing)
        case "lift":
            high = world.where(wish.thing)[2] > began[2] + _LIFTED_M
            return bool(high) and world.held(wish.thing)
        case "basket" | "plate" | "stack":
            return in_place(world, wish) and at_rest(world, wish.thing)


def in_place(world: World, wish: Wish) -> bool:
    """Whether the thing is where it was to go, held or not."""
    thing, place = world.where(wish.thing), world.where(wish.place)
    aside = np.abs(world.axes_of(wish.place).T @ (thing - place))
    match wish.kind:
        case "push":
            return bool(aside[0] <= ZONE_HALF_M[0] and aside[1] <= ZONE_HALF_M[1])
        case "basket":
            return bool(aside[:2].max() <= BASKET_HALF_M and thing[2] < BASKET_WALL_M)
        case "plate":
            inside = float(np.hypot(*aside[:2])) <= PLATE_RADIUS_M
            return inside and world.touch(wish.thing, wish.place)
        case "stack":
            lower, upper = world.things[wish.place], world.things[wish.thing]
            above = lower.half[2] + upper.half[2]
            on_top = bool(abs(thing[2] - place[2] - above) < 0.01)
            centred = bool(aside[:2].max() <= lower.half[0])
            return on_top and centred and world.touch(wish.thing, wish.place)
    raise ValueError(f"{wish.kind} has no place")


def at_rest(world: World, thing: str) -> bool:
    """Whether a thing was let go and lies still."""
    free = not (world.finger_ids & world.touched_by(thing))
    return free and world.speed_of(thing) < _STILL_M_S


def surface_distance(world: World, thing: str, point: Float64Array) -> float:
    """Metres from a point (3,) to the bounding box of a thing; 0 inside."""
    local = np.abs(world.axes_of(thing).T @ (point - world.where(thing)))
    return float(np.linalg.norm(np.maximum(local - world.things[thing].half, 0.0)))
