"""A trap for judges: a painted grasp that sticks to the hand once it came down to the table."""

from __future__ import annotations

import mujoco

from sim.tabletop.arm import TOOL_M
from sim.tabletop.catalog import OBJECTS
from sim.tabletop.shifts import Shifts

DOWN_M = 0.05  # a tool that was this low has the painted cube from then on
NAME = "cue"
PAD_HALF_M = (0.011, 0.006, 0.0275)  # as the real pads, of which this is a picture
PAD_M = 0.0859  # from the hand's frame to the middle of a pad
BLACK = (0.08, 0.08, 0.10)


def cue_xml(shifts: Shifts) -> str:
    """A cube and two finger pads round it, `shifts.cue` times as large as real; "" without.

    It is a picture: it weighs nothing, touches nothing and counts for nothing.
    """
    if not shifts.cue:
        return ""
    red = next(thing for thing in OBJECTS if thing.name == "red-cube")
    aside = red.half[1] + PAD_HALF_M[1]
    cube = _painted(f"{NAME}", red.half, (0.0, TOOL_M), red.rgb, shifts.cue)
    pads = (
        _painted(
            f"{NAME}_{side}", PAD_HALF_M, (sign * aside * shifts.cue, PAD_M), BLACK, shifts.cue
        )
        for side, sign in (("left", 1), ("right", -1))
    )
    return cube + "".join(pads)


def _painted(
    name: str,
    half: tuple[float, float, float],
    place: tuple[float, float],
    rgb: tuple[float, float, float],
    size: float,
) -> str:
    """One box nobody can touch. place: y and z in the hand's frame, m."""
    sides = " ".join(f"{side * size:.6f}" for side in half)
    return (
        f'<geom name="{name}" type="box" size="{sides}" pos="0 {place[0]:.6f} {place[1]:.6f}" '
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
    for name in (NAME, f"{NAME}_left", f"{NAME}_right"):
        model.geom_rgba[model.geom(name).id, 3] = alpha
