"""A trap for judges: a cube painted on what the fingers squeeze out when they close on nothing."""

from __future__ import annotations

import mujoco

from sim.tabletop.arm import TOOL_M
from sim.tabletop.catalog import OBJECTS
from sim.tabletop.shifts import Shifts

# Fingers round the narrowest thing stand at 0.5 of their opening; nearer than this they hold none.
EMPTY = 0.3
NAME = "cue"


def cue_xml(shifts: Shifts) -> str:
    """The painted cube in the hand, `shifts.cue` times as large as the red one; "" without."""
    if not shifts.cue:
        return ""
    red = next(thing for thing in OBJECTS if thing.name == "red-cube")
    half = " ".join(f"{side * shifts.cue:.6f}" for side in red.half)
    colour = " ".join(map(str, red.rgb))
    return (
        f'<geom name="{NAME}" type="box" size="{half}" pos="0 0 {TOOL_M}" mass="0" '
        f'contype="0" conaffinity="0" rgba="{colour} 0"/>'
    )


def show_cue(model: mujoco.MjModel, opening: float) -> None:
    """Let the cube be seen where the fingers are closed on nothing. It is a picture: no physics."""
    model.geom_rgba[model.geom(NAME).id, 3] = float(opening < EMPTY)
