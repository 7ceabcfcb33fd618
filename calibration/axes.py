"""Whether an arm does along each axis what it is told: sign, order, frame, scale, delay, gripper.

The measured moves are fitted as a matrix times the commanded ones (least squares); the matrix is
split into a turn and a stretch (polar decomposition; Higham 1986).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.complaints import CalibrationError
from calibration.rigid import Float64Array, rotation_vector
from calibration.tables import Response

STILL = 0.1  # of what was commanded: less is not following at all
TURNED_DEG = 4.0
SCALED = 0.15  # from the gain that this arm had
PLAUSIBLE = (0.2, 1.6)  # gain of an arm of which nothing is known yet
LATE_STEPS = 1  # more than this arm had
LATE_UNKNOWN_STEPS = 3
DRIFT_M = 0.001  # a control step, that nobody commanded
OPENED = 0.25  # of the range: the least that a gripper must follow


@dataclass(frozen=True, slots=True)
class Pulse:
    """A short move along one axis, then rest. commanded, measured: (6,) m and rad, in all."""

    commanded: Float64Array
    measured: Float64Array
    steps: int


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that was tested, and what to do where it is not well; "" where it is."""

    name: str
    found: str
    advice: str = ""

    @property
    def well(self) -> bool:
        """Whether it is as it should be."""
        return not self.advice


@dataclass(frozen=True, slots=True)
class Axes:
    """matrix: (3, 3) measured over commanded. order: where x, y, z went, such as "+x -y +z".

    turn_deg, axis: of the frame, beyond that order. gain: mean stretch. drift: (3,) m or rad a
    control step that no command asked for.
    """

    matrix: Float64Array
    order: str
    turn_deg: float
    axis: Float64Array
    gain: float
    drift: Float64Array


def axes_of(pulses: Sequence[Pulse], *, turns: bool = False) -> Axes:
    """Fit moves (or turns) of pulses along all three axes.

    Raises CalibrationError where an axis was not tried, or nothing moved.
    """
    part = slice(3, 6) if turns else slice(0, 3)
    commanded = np.array([pulse.commanded[part] for pulse in pulses])
    measured = np.array([pulse.measured[part] for pulse in pulses])
    if np.linalg.matrix_rank(commanded, tol=1e-9) < 3:
        raise CalibrationError("pulses along x, y and z wanted for a test of the axes")
    steps = np.array([[float(pulse.steps)] for pulse in pulses])
    solved = np.linalg.lstsq(np.hstack([commanded, steps]), measured, rcond=None)[0]
    matrix, drift = solved[:3].T, solved[3]
    left, sizes, right = np.linalg.svd(matrix)
    gain = float(sizes.mean())
    if gain < STILL:
        what = "turns" if turns else "moves"
        raise CalibrationError(
            f"{what} that follow the commands wanted, found {100 * gain:.0f} % of them; is a "
            "controller active, and does the guard let the arm move?"
        )
    nearest = left @ right  # the orthogonal matrix nearest to it
    order = _order(nearest)
    beyond = np.eye(4)
    beyond[:3, :3] = nearest @ order.T
    vector = rotation_vector(beyond) if np.linalg.det(beyond[:3, :3]) > 0 else np.zeros(3)
    angle = float(np.linalg.norm(vector))
    return Axes(
        matrix,
        _named(order),
        math.degrees(angle),
        vector / angle if angle > 1e-9 else vector,
        gain,
        drift,
    )


def delay_steps(commanded: Float64Array, moved: Float64Array, longest: int = 10) -> int:
    """Control periods by which moves (n, k) follow commands (n, k), to the nearest."""
    scores = [
        float((commanded[: len(commanded) - late or None] * moved[late:]).sum())
        for late in range(min(longest, len(moved) - 1) + 1)
    ]
    return int(np.argmax(scores))


def judged(moves: Axes, turns: Axes, late: int, was: Response | None) -> list[Told]:
    """What is well and what is not, the axes first: nothing below them means much before that."""
    told = [_in_order("axes", moves), _in_order("turning axes", turns)]
    told += [_unturned("base frame", moves), _unturned("turning frame", turns)]
    low, high = PLAUSIBLE if was is None else (was.gain * (1 - SCALED), was.gain * (1 + SCALED))
    well = low <= moves.gain <= high
    than = "no earlier test to compare with" if was is None else f"{was.gain:.2f} when it was well"
    advice = "" if well else (
        f"{low:.2f} to {high:.2f} wanted: set [scale] full_scale, or look whether the controller "
        "was tuned anew"
    )  # fmt: skip
    told.append(Told("scale", f"{moves.gain:.2f} m a commanded metre, {than}", advice))
    worst_m = float(np.abs(moves.drift).max())
    drift = ", ".join(f"{round(1000 * float(value), 1) + 0.0:.1f}" for value in moves.drift)
    advice = "" if worst_m <= DRIFT_M else (
        f"{1000 * DRIFT_M:g} mm or less wanted: is the load set in the controller, the base level?"
    )  # fmt: skip
    told.append(Told("drift", f"({drift}) mm a control step that no command asked for", advice))
    most = LATE_UNKNOWN_STEPS if was is None else was.delay_steps + LATE_STEPS
    advice = "look at network, driver and machine load" if late > most else ""
    found = f"{late} control periods" + (f", {most} or fewer wanted" if advice else "")
    return [*told, Told("delay", found, advice)]


def gripper(opening: Float64Array, commanded: Float64Array) -> Told:
    """Whether the opening follows: openings (n,) at rest after each commanded one (n,), 0 .. 1."""
    spread = float(np.ptp(commanded))
    moved = float(np.ptp(opening))
    found = ", ".join(
        f"{ours:.1f} gave {theirs:.2f}" for ours, theirs in zip(commanded, opening, strict=True)
    )
    if spread < 0.5 or len(opening) < 2:
        raise CalibrationError("openings of 0 and 1 wanted for a test of the gripper")
    slope = float(np.polyfit(commanded, opening, 1)[0])
    if moved < OPENED:
        advice = "look at its driver, its power, and topics.gripper_command"
        return Told("gripper", f"stuck: {found}", advice)
    if slope < 0:
        return Told("gripper", f"inverted: {found}", "set [gripper] inverted the other way round")
    if moved < 1.0 - OPENED or abs(float(np.mean(opening - commanded))) > OPENED:
        return Told("gripper", f"weak: {found}", "measure [gripper] width_m; is it blocked?")
    return Told("gripper", found)


def _in_order(name: str, axes: Axes) -> Told:
    if axes.order == "+x +y +z":
        return Told(name, "x, y and z go where they should")
    advice = "actions are in another frame than the arm's base: set frames.base, or turn the base"
    return Told(name, f"commanded +x +y +z, measured {axes.order}", advice)


def _unturned(name: str, axes: Axes) -> Told:
    found = f"turned by {axes.turn_deg:.1f} deg"
    if axes.turn_deg <= TURNED_DEG:
        return Told(name, found)
    about = ", ".join(f"{value:.2f}" for value in axes.axis)
    advice = "is the base mounted turned, or an action frame set in the controller?"
    return Told(name, f"{found} about ({about})", advice)


def _order(nearest: Float64Array) -> Float64Array:
    """The signed permutation (3, 3) that is nearest."""
    best, most = np.eye(3), -np.inf
    for places in itertools.permutations(range(3)):
        turned = np.eye(3)[list(places)]
        signs = np.where((turned * nearest).sum(1) < 0, -1.0, 1.0)
        score = float(np.abs((turned * nearest).sum(1)).sum())
        if score > most + 1e-9:
            best, most = turned * signs[:, None], score
    return best


def _named(order: Float64Array) -> str:
    """Where commanded x, y, z went."""
    names = []
    for column in order.T:
        row = int(np.argmax(np.abs(column)))
        names.append(("+" if column[row] > 0 else "-") + "xyz"[row])
    return " ".join(names)
