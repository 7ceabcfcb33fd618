"""The whole scene as MJCF text: even light, a plain table, primitive shapes, no files."""

from __future__ import annotations

import colorsys
import math

import numpy as np

from sim.tabletop.arm import actuators_xml, arm_xml
from sim.tabletop.catalog import (
    BASKET_HALF_M,
    BASKET_WALL_M,
    BUTTON_TOP_M,
    BUTTON_TRAVEL_M,
    OBJECTS,
    PLATE_RADIUS_M,
    PLATE_TOP_M,
    ZONE_HALF_M,
    Thing,
)
from sim.tabletop.cue import cue_xml
from sim.tabletop.shifts import Shifts

TIMESTEP_S = 0.005
_GREY = Thing("distractor", "box", (0.018, 0.018, 0.03), (0.45, 0.45, 0.45), 0.08)


def things(shifts: Shifts) -> tuple[Thing, ...]:
    """The movable objects of this world at their shifted size, mass and hue; distractors last."""
    greys = tuple(
        Thing(f"distractor-{n}", _GREY.shape, _GREY.half, _GREY.rgb, _GREY.mass_kg)
        for n in range(round(shifts.distractors))
    )
    return tuple(
        Thing(
            thing.name,
            thing.shape,
            (
                thing.half[0] * shifts.size,
                thing.half[1] * shifts.size,
                thing.half[2] * shifts.size,
            ),
            _hue_turned(thing.rgb, shifts.colour),
            thing.mass_kg * shifts.mass,
        )
        for thing in OBJECTS + greys
    )


def scene_xml(shifts: Shifts, image_px: int) -> str:
    """Write the scene. image_px sizes the drawing buffer: a larger one only costs time."""
    bodies = "".join(_thing_xml(thing, shifts.friction) for thing in things(shifts))
    glow, sun = 0.42 * shifts.light, 0.30 * shifts.light
    return f"""<mujoco model="tabletop">
<compiler angle="radian" autolimits="true"/>
<option timestep="{TIMESTEP_S}" integrator="implicitfast" cone="elliptic" impratio="3"
  iterations="30" ls_iterations="20"/>
<visual>
  <global offwidth="{image_px}" offheight="{image_px}"/>
  <quality shadowsize="0" offsamples="0" numslices="16" numstacks="8"/>
  <headlight ambient="{glow} {glow} {glow}" diffuse="{sun} {sun} {sun}" specular="0 0 0"/>
  <map znear="0.01" zfar="10"/>
</visual>
<default>
  <geom solref="0.012 1" friction="0.8 0.01 0.001"/>
  <default class="arm"><joint armature="0.1" damping="1"/></default>
  <default class="link">
    <geom contype="0" conaffinity="0" rgba="0.62 0.64 0.68 1"/>
  </default>
  <default class="hand"><geom rgba="0.25 0.25 0.28 1" condim="3"/></default>
  <default class="finger"><joint type="slide" damping="2" armature="0.1"/></default>
  <default class="pad">
    <geom mass="0.03" rgba="0.08 0.08 0.10 1" friction="1.5 0.05 0.002" condim="4"
      solref="0.01 1" priority="1"/>
  </default>
</default>
<worldbody>
  <light directional="true" pos="0 0 2" dir="-0.3 0.15 -1" castshadow="false"
    diffuse="{sun} {sun} {sun}" specular="0 0 0"/>
  {_camera_xml(shifts.camera)}
  <geom name="table" type="plane" size="2 2 0.1" rgba="0.93 0.90 0.85 1"/>
  {arm_xml(cue_xml(shifts))}
  {_fixtures_xml()}
  {bodies}
</worldbody>
<tendon><fixed name="fingers">
  <joint joint="finger_left" coef="0.5"/><joint joint="finger_right" coef="0.5"/>
</fixed></tendon>
<equality><joint joint1="finger_left" joint2="finger_right" solref="0.01 1"/></equality>
<actuator>{actuators_xml()}</actuator>
</mujoco>"""


def _thing_xml(thing: Thing, friction: float) -> str:
    x, y, z = thing.half
    sizes = {"box": f"{x} {y} {z}", "cylinder": f"{x} {z}", "sphere": f"{z}"}[thing.shape]
    red, green, blue = thing.rgb
    # A ball would roll for ever on a plane without rolling friction.
    contact = 'condim="6"' if thing.shape == "sphere" else 'condim="4"'
    return (
        f'<body name="{thing.name}"><freejoint name="{thing.name}"/>'
        f'<geom name="{thing.name}" type="{thing.shape}" mass="{thing.mass_kg}" {contact} '
        f'size="{sizes}" rgba="{red} {green} {blue} 1" '
        f'friction="{0.8 * friction} {0.01 * friction} {0.001 * friction}"/></body>'
    )


def _fixtures_xml() -> str:
    h, wall, thick = BASKET_HALF_M, BASKET_WALL_M, 0.004
    brown = 'rgba="0.45 0.27 0.12 1"'
    sides = "".join(
        f'<geom type="box" pos="{x * (h + thick)} {y * (h + thick)} {wall / 2}" {brown} '
        f'size="{thick if x else h + 2 * thick} {thick if y else h} {wall / 2}"/>'
        for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1))
    )
    cap = (BUTTON_TOP_M - BUTTON_TRAVEL_M - 0.021) / 2
    return f"""
  <body name="basket" mocap="true">{sides}
    <geom name="basket" type="box" size="{h} {h} 0.002" pos="0 0 0.002" {brown}/></body>
  <body name="plate" mocap="true">
    <geom name="plate" type="cylinder" size="{PLATE_RADIUS_M} {PLATE_TOP_M / 2}"
      pos="0 0 {PLATE_TOP_M / 2}" rgba="0.22 0.26 0.33 1"/></body>
  <body name="zone" mocap="true">
    <geom type="box" size="{ZONE_HALF_M[0]} {ZONE_HALF_M[1]} 0.0004" contype="0" conaffinity="0"
      rgba="0.70 0.60 0.92 1"/></body>
  <body name="button" mocap="true">
    <geom type="box" size="0.03 0.03 0.01" pos="0 0 0.01" rgba="0.15 0.15 0.15 1"/>
    <body name="cap" pos="0 0 {BUTTON_TOP_M - cap}" gravcomp="1">
      <joint name="cap" type="slide" axis="0 0 1" range="{-BUTTON_TRAVEL_M} 0" stiffness="250"
        damping="4" solreflimit="0.01 1"/>
      <geom name="cap" type="cylinder" size="0.02 {cap}" mass="0.05"
        rgba="1.0 0.45 0.0 1"/></body></body>"""


def _camera_xml(aside_m: float) -> str:
    eye = np.array([0.47, aside_m, 0.62])
    back = eye - np.array([0.012, 0.0, 0.035])
    back /= math.sqrt(float(back @ back))
    right = np.cross([0.0, 0.0, 1.0], back)
    right /= math.sqrt(float(right @ right))
    axes = " ".join(f"{value:.9f}" for value in (*right, *np.cross(back, right)))
    place = " ".join(f"{value:.9f}" for value in eye)
    return f'<camera name="agentview" pos="{place}" xyaxes="{axes}" fovy="38"/>'


def _hue_turned(rgb: tuple[float, float, float], turns: float) -> tuple[float, float, float]:
    if not turns:
        return rgb
    hue, saturation, value = colorsys.rgb_to_hsv(*rgb)
    return colorsys.hsv_to_rgb((hue + turns) % 1.0, saturation, value)
