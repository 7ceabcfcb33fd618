"""The arm: Franka's published figures as capsules in MJCF, and its kinematics in numpy."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]

# Modified Denavit-Hartenberg parameters a (m), d (m), alpha (rad) of joints 1 to 7, joint limits
# and torque limits as Franka publishes them (Franka Control Interface documentation).
DH = (
    (0.0, 0.333, 0.0),
    (0.0, 0.0, -math.pi / 2),
    (0.0, 0.316, math.pi / 2),
    (0.0825, 0.0, math.pi / 2),
    (-0.0825, 0.384, -math.pi / 2),
    (0.0, 0.0, math.pi / 2),
    (0.088, 0.0, math.pi / 2),
)
LIMITS_RAD = (
    (-2.8973, 2.8973),
    (-1.7628, 1.7628),
    (-2.8973, 2.8973),
    (-3.0718, -0.0698),
    (-2.8973, 2.8973),
    (-0.0175, 3.7525),
    (-2.8973, 2.8973),
)
TORQUE_NM = (87.0, 87.0, 87.0, 87.0, 12.0, 12.0, 12.0)
FLANGE_M = 0.107
TOOL_M = 0.1034  # from the hand's frame to the middle of the finger pads
FINGER_M = 0.0584  # from the hand's frame to the fingers' frames
TIP_M = 0.010  # the fingers end this far beyond the tool point
BASE_M = (-0.5, 0.0, 0.0)
POSTURE_RAD = (0.0, -0.2, 0.0, -2.5, 0.0, 2.3, math.pi / 4)
DOWN = np.diag([1.0, -1.0, -1.0])  # the hand's axes when it points straight down

# One capsule a link: from, to (m, in the link's frame), radius (m), mass (kg).
_LINKS = (
    ((0, 0, -0.25), (0, 0, 0), 0.065, 4.0),
    ((0, 0, 0), (0, -0.25, 0), 0.060, 3.0),
    ((0, 0, -0.03), (0.0825, 0, 0), 0.055, 3.0),
    ((0, 0, 0), (-0.0825, 0.12, 0), 0.055, 2.5),
    ((0, 0, -0.24), (0, 0, 0), 0.050, 2.5),
    ((0, 0, 0), (0.088, 0, 0), 0.045, 1.5),
    ((0, 0, 0), (0, 0, 0.09), 0.038, 0.7),
)


def arm_xml(painted: Mapping[str, str] | None = None) -> str:
    """The arm's bodies, base to fingers, with a site `tool` and a camera `eye_in_hand`.

    painted: by side, more geoms in the frame of a finger.
    """
    x, y, z = BASE_M
    text = (
        f'<body name="base" pos="{x} {y} {z}">'
        '<geom type="cylinder" size="0.08 0.05" pos="0 0 0.05" class="link" mass="2"/>'
    )
    for number, ((a, d, alpha), (start, end, radius, mass)) in enumerate(
        zip(DH, _LINKS, strict=True), start=1
    ):
        low, high = LIMITS_RAD[number - 1]
        half = alpha / 2
        text += (
            f'<body name="link{number}" pos="{a} {-math.sin(alpha) * d} {math.cos(alpha) * d}" '
            f'quat="{math.cos(half)} {math.sin(half)} 0 0">'
            f'<joint name="joint{number}" axis="0 0 1" range="{low} {high}" class="arm"/>'
            f'<geom type="capsule" class="link" size="{radius}" mass="{mass}" '
            f'fromto="{" ".join(map(str, (*start, *end)))}"/>'
        )
    return text + _hand_xml(painted or {}) + "</body>" * 9


def actuators_xml() -> str:
    """Torque motors for the joints, one position servo for the pair of fingers."""
    motors = "".join(
        f'<motor name="motor{n}" joint="joint{n}" ctrllimited="true" ctrlrange="{-t} {t}"/>'
        for n, t in enumerate(TORQUE_NM, start=1)
    )
    return motors + (
        '<position name="grip" tendon="fingers" kp="2000" kv="60" ctrllimited="true" '
        'ctrlrange="0 0.04" forcerange="-60 60"/>'
    )


def forward(joints: Float64Array) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Where the tool is: position (3,) m, axes of the hand (3, 3), Jacobian (6, 7)."""
    frame = np.eye(4)
    frame[:3, 3] = BASE_M
    axes, origins = [], []
    for (a, d, alpha), angle in zip(DH, joints, strict=True):
        ca, sa, ct, st = math.cos(alpha), math.sin(alpha), math.cos(angle), math.sin(angle)
        frame = frame @ np.array(
            [
                [ct, -st, 0.0, a],
                [st * ca, ct * ca, -sa, -sa * d],
                [st * sa, ct * sa, ca, ca * d],
                [0.0, 0.0, 0.0, 1.0],
            ]
        )
        axes.append(frame[:3, 2])
        origins.append(frame[:3, 3])
    c = math.sqrt(0.5)
    hand = frame[:3, :3] @ np.array([[c, c, 0.0], [-c, c, 0.0], [0.0, 0.0, 1.0]])
    tool = frame[:3, 3] + hand[:, 2] * (FLANGE_M + TOOL_M)
    columns = [
        np.concatenate([np.cross(axis, tool - origin), axis])
        for axis, origin in zip(axes, origins, strict=True)
    ]
    return tool, hand, np.array(columns).T


def joints_for(tool: Float64Array, rounds: int = 60) -> Float64Array:
    """Joint angles (7,) rad that hold the tool at `tool` (3,) m, pointing straight down.

    Damped least squares from the arm's posture. Raises ValueError where that does not get there.
    """
    joints = np.array(POSTURE_RAD)
    for _ in range(rounds):
        position, hand, jacobian = forward(joints)
        error = np.concatenate([tool - position, turn(DOWN @ hand.T)])
        if float(np.abs(error).max()) < 1e-10:
            break
        gram = jacobian @ jacobian.T + 1e-5 * np.eye(6)
        joints = joints + jacobian.T @ np.linalg.solve(gram, error)
    if float(np.abs(error).max()) > 1e-6:
        raise ValueError(f"the arm cannot hold its tool straight down at {tool}; left {error}")
    return joints


def turn(rotation: Float64Array) -> Float64Array:
    """Rotation vector (3,) rad of a rotation matrix (3, 3)."""
    skew = np.array(
        [
            rotation[2, 1] - rotation[1, 2],
            rotation[0, 2] - rotation[2, 0],
            rotation[1, 0] - rotation[0, 1],
        ]
    )
    sine = 0.5 * math.sqrt(float(skew @ skew))
    cosine = 0.5 * (float(np.trace(rotation)) - 1.0)
    angle = math.atan2(sine, cosine)
    if sine > 1e-6:
        return skew * (0.5 * angle / sine)
    if cosine > 0:
        return 0.5 * skew
    # Half a turn: the axis is the column of R + I that is not nought.
    columns = rotation + np.eye(3)
    axis = columns[:, int(np.argmax(np.diag(columns)))]
    return np.asarray(axis * (math.pi / np.linalg.norm(axis)))


def turned(vector: Float64Array) -> Float64Array:
    """Rotation matrix (3, 3) of a rotation vector (3,) rad (Rodrigues' formula)."""
    angle = math.sqrt(float(vector @ vector))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = vector / angle
    k = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.asarray(np.eye(3) + math.sin(angle) * k + (1.0 - math.cos(angle)) * (k @ k))


def _hand_xml(painted: Mapping[str, str]) -> str:
    fingers = "".join(
        f'<body name="finger_{side}" pos="0 0 {FINGER_M}">'
        f'<joint name="finger_{side}" axis="0 {sign} 0" range="0 0.04" class="finger"/>'
        f'<geom name="finger_{side}" type="box" size="0.011 0.006 0.0275" '
        f'pos="0 {sign * 0.006} 0.0275" class="pad"/>{painted.get(side, "")}</body>'
        for side, sign in (("left", 1), ("right", -1))
    )
    c, s = math.cos(math.pi / 8), math.sin(math.pi / 8)
    return (
        f'<body name="hand" pos="0 0 {FLANGE_M}" quat="{c} 0 0 {-s}">'
        '<geom name="hand" type="capsule" fromto="0 -0.045 0.03 0 0.045 0.03" size="0.025" '
        'class="hand" mass="0.7"/>'
        f'<site name="tool" pos="0 0 {TOOL_M}" size="0.002" rgba="0 0 0 0"/>'
        # Before the hand, looking along the fingers and a little back at their tips.
        '<camera name="eye_in_hand" pos="0.075 0 0.0" xyaxes="0 -1 0 -0.91 0 -0.42" fovy="70"/>'
        f"{fingers}"
    )
