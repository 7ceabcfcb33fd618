"""Small scripted moves along every axis, and what the arm made of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.clock import now_s
from agent.guided.arm import GuidedArm
from calibration.axes import Pulse, Told, axes_of, delay_steps, gripper, judged
from calibration.rigid import Float64Array, inverse, rotation_vector
from calibration.tables import Response

PULSE_STEPS, REST_STEPS = 4, 8  # control steps
SHARE = 0.35  # of full scale: small beside things and people
GRIP_S = 1.5  # longest wait for the fingers


@dataclass(frozen=True, slots=True)
class ActionTest:
    """told: one line a thing. response: how the arm answered, for later tests to compare with."""

    told: tuple[Told, ...]
    response: Response

    @property
    def well(self) -> bool:
        """Whether nothing is wrong."""
        return all(each.well for each in self.told)


def try_actions(arm: GuidedArm, was: Response | None) -> ActionTest:
    """Push to and fro along each axis, turn about each, and move the fingers.

    The arm ends where it began, give or take its gain. Raises CalibrationError where it does not
    follow at all.
    """
    arm.still()
    pulses, commands, moves = [], [], []
    for axis in range(6):
        for sign in (1.0, -1.0):
            pulse, asked, came = _pulse(arm, axis, sign)
            pulses.append(pulse)
            commands.append(asked)
            moves.append(came)
    ours, turning = axes_of(pulses), axes_of(pulses, turns=True)
    # The axes may be swapped or turned: a delay is looked for along the way that each one takes.
    asked_all = np.vstack(commands)[:, :3] @ ours.matrix.T
    late = delay_steps(asked_all, np.vstack(moves)[:, :3])
    told = [*judged(ours, turning, late, was), *_fingers(arm)]
    return ActionTest(tuple(told), Response(gain=ours.gain, delay_steps=late))


def _pulse(arm: GuidedArm, axis: int, sign: float) -> tuple[Pulse, Float64Array, Float64Array]:
    """The pulse, and commands and moves (n, 6) of each control step of it."""
    scale = np.array(arm.card.full_scale)
    _, view = arm.step(np.zeros(6))
    first, before = view.tool, view.tool
    commands, moves = [], []
    for number in range(PULSE_STEPS + REST_STEPS):
        move = np.zeros(6)
        if number < PULSE_STEPS:
            move[axis] = sign * SHARE * scale[axis]
        reading, _ = arm.step(move)
        after = arm.tool_after(reading)
        commands.append(move)
        moves.append(_between(before, after))
        before = after
    whole = Pulse(np.sum(commands, axis=0), _between(first, before), len(commands))
    return whole, np.array(commands), np.array(moves)


def _fingers(arm: GuidedArm) -> list[Told]:
    """Close, open, close, open; nothing where the robot tells no opening."""
    if "opening" not in arm.card.proprio:
        return []
    asked, came = (0.0, 1.0, 0.0, 1.0), []
    for opening in asked:
        ends_s, before = now_s() + GRIP_S, np.inf
        while now_s() < ends_s:
            _, view = arm.step(np.zeros(6), opening)
            if abs(view.opening - opening) < 0.02 and abs(view.opening - before) < 0.005:
                break
            before = view.opening
        came.append(view.opening)
    return [gripper(np.array(came), np.array(asked))]


def _between(before: Float64Array, after: Float64Array) -> Float64Array:
    """The move (6,) m and rad from one tool pose to another, along the base's axes."""
    turn = before[:3, :3] @ rotation_vector(inverse(before) @ after)
    return np.concatenate([after[:3, 3] - before[:3, 3], turn])
