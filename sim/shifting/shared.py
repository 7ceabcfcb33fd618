"""The shifts that the table-top and LIBERO have alike."""

from __future__ import annotations

from dataclasses import dataclass

from sim.shifting.cards import ShiftCard


@dataclass(frozen=True, slots=True)
class SharedShifts:
    """The strength of every shared shift; the defaults are the unshifted world."""

    rotate: float = 0.0
    gain: float = 1.0
    delay: float = 0.0
    drift: float = 0.0
    mirror: float = 0.0
    swap: float = 0.0
    gripper: float = 1.0
    offset: float = 0.0
    camera: float = 0.0
    camera_up: float = 0.0
    camera_tilt: float = 0.0
    camera_pan: float = 0.0
    camera_roll: float = 0.0
    wrist: float = 0.0
    wrist_up: float = 0.0
    wrist_tilt: float = 0.0
    wrist_pan: float = 0.0
    wrist_roll: float = 0.0
    light: float = 1.0
    colour: float = 0.0
    noise: float = 0.0
    friction: float = 1.0
    mass: float = 1.0
    distractors: float = 0.0
    paraphrase: float = 0.0


MOVING = (
    ShiftCard("rotate", "actions are turned about the vertical", "rad", 0.0, -3.2, 3.2),
    ShiftCard("gain", "actions are made larger or smaller", "factor", 1.0, 0.1, 5.0),
    ShiftCard("delay", "actions take effect later", "control steps", 0.0, 0.0, 20.0),
    ShiftCard("drift", "every action is moved along y", "full scale", 0.0, -1.0, 1.0),
    ShiftCard("mirror", "actions go the other way along y", "yes or no", 0.0, 0.0, 1.0),
    ShiftCard("swap", "x and y of actions are exchanged", "yes or no", 0.0, 0.0, 1.0),
    ShiftCard("gripper", "the gripper opens so far about its middle", "factor", 1.0, -1.0, 1.0),
    ShiftCard("offset", "the tool reads as if moved along x and y alike", "m", 0.0, -0.2, 0.2),
)
SEEING = (
    ShiftCard("camera", "agentview stands further along y", "m", 0.0, -0.5, 0.5),
    ShiftCard("camera_up", "agentview sits further up in its picture", "m", 0.0, -0.3, 0.3),
    ShiftCard("camera_tilt", "agentview looks further up", "deg", 0.0, -30.0, 30.0),
    ShiftCard("camera_pan", "agentview looks further left", "deg", 0.0, -30.0, 30.0),
    ShiftCard("camera_roll", "agentview is turned about its line", "deg", 0.0, -90.0, 90.0),
    ShiftCard("wrist", "eye_in_hand sits further to its own right", "m", 0.0, -0.1, 0.1),
    ShiftCard("wrist_up", "eye_in_hand sits further up in its picture", "m", 0.0, -0.3, 0.3),
    ShiftCard("wrist_tilt", "eye_in_hand looks further up", "deg", 0.0, -30.0, 30.0),
    ShiftCard("wrist_pan", "eye_in_hand looks further left", "deg", 0.0, -30.0, 30.0),
    ShiftCard("wrist_roll", "eye_in_hand is turned about its line", "deg", 0.0, -90.0, 90.0),
    ShiftCard("light", "all light is brighter or darker", "factor", 1.0, 0.05, 3.0),
    ShiftCard("colour", "the objects' hues are turned", "turns", 0.0, -1.0, 1.0),
    ShiftCard("noise", "pixels get Gaussian noise of this sigma", "grey levels", 0.0, 0.0, 128.0),
)
MASS = ShiftCard("mass", "the objects are heavier or lighter", "factor", 1.0, 0.1, 10.0)
