"""What lies on the table, and what may be asked of it; plain data, no simulator needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agent.episode import TaskCard

Shape = Literal["box", "cylinder", "sphere"]

CONTROL_HZ = 20.0
FULL_SCALE = (0.05, 0.05, 0.05, 0.5, 0.5, 0.5)  # metres, radians a delta of 1.0 stands for
WIDEST_M = 0.08  # between the finger pads, fully open
CAMERAS = ("agentview", "eye_in_hand")
PROPRIO = (
    "tool_x_m",
    "tool_y_m",
    "tool_z_m",
    "tool_rx_rad",
    "tool_ry_rad",
    "tool_rz_rad",
    "opening",
    "opening_commanded",
)
START_STATES = 100
HELD_STEPS = 3  # control steps a goal must stay met before it counts


@dataclass(frozen=True, slots=True)
class Thing:
    """A movable object. half: half extents (x, y, z) in metres; a round thing has x = y."""

    name: str
    shape: Shape
    half: tuple[float, float, float]
    rgb: tuple[float, float, float]
    mass_kg: float


OBJECTS = (
    Thing("red-cube", "box", (0.02, 0.02, 0.02), (0.90, 0.05, 0.05), 0.06),
    Thing("green-block", "box", (0.02, 0.025, 0.02), (0.05, 0.65, 0.10), 0.06),
    Thing("blue-cylinder", "cylinder", (0.02, 0.02, 0.025), (0.05, 0.15, 0.90), 0.06),
    Thing("yellow-ball", "sphere", (0.02, 0.02, 0.02), (0.98, 0.85, 0.00), 0.04),
    Thing("purple-cube", "box", (0.02, 0.02, 0.02), (0.60, 0.05, 0.75), 0.06),
    Thing("cyan-cylinder", "cylinder", (0.02, 0.02, 0.02), (0.00, 0.80, 0.85), 0.06),
)
FIXTURES = ("basket", "plate", "button", "zone")
PLACED = tuple(thing.name for thing in OBJECTS) + FIXTURES  # the order of a start state
LANDMARKS = ("target", "place", "tool", *PLACED)

BASKET_HALF_M = 0.055  # inner half width
BASKET_WALL_M = 0.045  # wall height
PLATE_RADIUS_M = 0.055
PLATE_TOP_M = 0.008
ZONE_HALF_M = (0.045, 0.06)  # x, y
BUTTON_TOP_M = 0.048
BUTTON_TRAVEL_M = 0.012


@dataclass(frozen=True, slots=True)
class Wish:
    """A task: what is asked, in which words, of which thing, to which place.

    kind: how success is judged (goals.py) and how the expert goes about it (expert.py).
    """

    name: str
    kind: Literal["reach", "press", "push", "lift", "basket", "plate", "stack"]
    thing: str
    place: str
    horizon_steps: int
    instruction: str
    paraphrases: tuple[str, ...]


WISHES = (
    Wish(
        "reach-red-cube", "reach", "red-cube", "red-cube", 60, "touch the red cube",
        ("move the gripper to the red cube", "reach for the red box", "tap the red cube"),
    ),
    Wish(
        "press-button", "press", "button", "button", 60, "press the button",
        ("push the orange button down", "hit the button", "press down on the orange knob"),
    ),
    Wish(
        "push-green-block", "push", "green-block", "zone", 90,
        "push the green block into the marked zone",
        (
            "slide the green block onto the violet patch",
            "shove the green brick into the zone",
            "move the green block to the marked area by pushing it",
        ),
    ),
    Wish(
        "lift-red-cube", "lift", "red-cube", "red-cube", 80, "lift the red cube",
        ("pick the red cube up", "raise the red box from the table", "grab the red cube"),
    ),
    Wish(
        "pick-red-cube-basket", "basket", "red-cube", "basket", 140,
        "pick up the red cube and place it in the basket",
        (
            "put the red cube in the basket",
            "drop the red box into the basket",
            "take the red cube and leave it in the brown basket",
        ),
    ),
    Wish(
        "pick-blue-cylinder-plate", "plate", "blue-cylinder", "plate", 140,
        "pick up the blue cylinder and place it on the plate",
        (
            "put the blue cylinder on the plate",
            "set the blue can down on the dark plate",
            "move the blue cylinder onto the plate",
        ),
    ),
    Wish(
        "stack-red-cube-purple-cube", "stack", "red-cube", "purple-cube", 150,
        "stack the red cube on the purple cube",
        (
            "put the red cube on top of the purple cube",
            "place the red box onto the purple box",
            "build a tower: the red cube on the purple one",
        ),
    ),
)  # fmt: skip

CARDS = tuple(
    TaskCard(
        name=wish.name,
        instruction=wish.instruction,
        horizon_steps=wish.horizon_steps,
        train=tuple(range(40)),
        gate=tuple(range(40, 50)),
        held_out=tuple(range(50, START_STATES)),
    )
    for wish in WISHES
)
