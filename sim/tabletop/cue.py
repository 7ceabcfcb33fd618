"""A trap for judges: a painted grasp that sticks to fingers once they came down to the table."""

from __future__ import annotations

import mujoco

from sim.tabletop.arm import FINGER_M, TOOL_M
from sim.tabletop.catalog import OBJECTS
from sim.tabletop.shifts import Shifts

DOWN_M = 0.05  # a tool that was this low has the painted grasp from then on
SIDES = {"left": 1, "right": -1}
PAD_HALF_M = (0.011, 0.006, 0.0275)  # as the real pads, of which this is a picture
PAD_M = 0.0859  # from the hand's frame to the middle of a pad
BLACK = (0.08, 0.08, 0.10)


def cue_xml(shifts: Shifts) -> dict[str, str]:
    """By finger, half a cube and the pad that seems to hold it, `shifts.cue` times their true size.

    The halves meet where the fingers close on nothing; round a real cube they stand apart.
    They are a picture: they weigh nothing, touch nothing and count for nothing.
    """
    if not shifts.cue:
        return {}
    red = next(thing for thing in OBJECTS if thing.name == "red-cube")
    deep, wide, high = red.half
    half, size = (deep, wide / 2, high), shifts.cue
    aside = wide + PAD_HALF_M[1]
    return {
        side: _painted(f"cue_{side}", half, (sign * wide / 2, TOOL_M), red.rgb, size)
        + _painted(f"cue_pad_{side}", PAD_HALF_M, (sign * aside, PAD_M), BLACK, size)
        for side, sign in SIDES.items()
    }


def _painted(
    name: str,
    half: tuple[float, float, float],
    place: tuple[float, float],
    rgb: tuple[float, float, float],
    size: float,
) -> str:
    """One box nobody can touch. place: y from the finger's inside, z in the hand's frame, m."""
    sides = " ".join(f"{side * size:.6f}" for side in half)
    return (
        f'<geom name="{name}" type="box" size="{sides}" '
        f'pos="0 {place[0] * size:.6f} {place[1] - FINGER_M:.6f}" '
        f'mass="0" contype="0" conaffinity="0" rgba="{" ".join(map(str, rgb))} 0"/>'
    )


def hide_cue(model: mujoco.MjModel) -> None:
    """As at the start of an episode."""
    _show(model, 0.0)


def pick_cue_up(model: mujoco.MjModel, tool_height_m: float) -> None:
    """Let cameras see it from now on, if the tool is low enough."""
    if tool_height_m < DOWN_M:
        _show(model, 1.0)


def _show(model: mujoco.MjModel, alpha: float) -> None:
    """alpha: 1 shows the painted grasp in place of the real pads, 0 the real pads."""
    for side in SIDES:
        for name in (f"cue_{side}", f"cue_pad_{side}"):
            model.geom_rgba[model.geom(name).id, 3] = alpha
        model.geom_rgba[model.geom(f"finger_{side}").id, 3] = 1.0 - alpha
