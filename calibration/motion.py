"""How an arm answers its commands, from any recorded motion: gain, direction, bias and delay.

In every control step the tool moves by d_t; the command was u_t. The smallest model of an arm that
lags (ARX of order 1; Ljung, System Identification, 2nd ed., ch. 4.2) is

    d_t = a d_(t-1) + B u_(t-k) + c

and in the long run a steady command u moves the tool by (B u + c) / (1 - a) a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.complaints import CalibrationError

Float64Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

LONGEST_DELAY = 8  # control steps
LEAST_STEPS = 60
HUBER = 1.5
ROUNDS = 6


@dataclass(frozen=True, slots=True)
class Motion:
    """One episode. commands: (n, 3) asked in each control step. moves: (n, 3) m that followed.

    free: (n,) bool, True where nothing else held or pushed the arm, as far as anyone knows.
    """

    commands: Float64Array
    moves: Float64Array
    free: BoolArray


@dataclass(frozen=True, slots=True)
class Response:
    """lag: a. steady: (3, 3), long-run metres moved a step for a command of 1. bias_m: (3,) a step.

    delay_steps: k. residual_m: what the model leaves, rms. rivals: (LONGEST_DELAY + 1,) residuals
    of every delay. steps: control steps of motion it was found from.
    """

    lag: float
    steady: Float64Array
    bias_m: Float64Array
    delay_steps: int
    residual_m: float
    rivals: Float64Array
    steps: int


@dataclass(frozen=True, slots=True)
class Change:
    """One response seen from another: what was done to the commands on their way to the arm.

    turn_deg, axis: the rotation in it, about (3,). gain: factor. mirrored: an axis is turned
    round; then `axis` is that one. order: which axis each command went to, "xyz" where none moved.
    bias: (3,) commands more than there. delay_steps: more than there. between: (3, 3), all of it.
    """

    turn_deg: float
    axis: Float64Array
    gain: float
    mirrored: bool
    order: str
    bias: Float64Array
    delay_steps: int
    between: Float64Array


def respond(motions: Sequence[Motion], lag: float | None = None) -> Response:
    """Fit the model to what was recorded. lag: of the same arm, where it is known already.

    Raises CalibrationError for too little motion, or one that explains nothing.
    """
    steps = sum(int(motion.free.sum()) for motion in motions)
    if steps < LEAST_STEPS:
        raise CalibrationError(f"{LEAST_STEPS} control steps of free motion wanted, found {steps}")
    fits = [_fit(motions, delay, lag) for delay in range(LONGEST_DELAY + 1)]
    rivals = np.array([residual for _, residual in fits])
    best = int(np.argmin(rivals))
    solution, residual = fits[best]
    found = float(solution[3, 0])
    if not np.isfinite(solution).all() or found >= 1.0:
        raise CalibrationError("a motion that settles wanted; the recorded one explains nothing")
    rest = 1.0 - found
    return Response(
        lag=found, steady=solution[:3].T / rest, bias_m=solution[4] / rest, delay_steps=best,
        residual_m=residual, rivals=rivals, steps=steps,
    )  # fmt: skip


def change(now: Response, before: Response) -> Change:
    """Say what turns the response `before` into `now`: steady_now = steady_before M.

    M is split into a rotation (or reflection) and a stretch (polar decomposition; Higham 1986).
    """
    between = np.asarray(np.linalg.lstsq(before.steady, now.steady, rcond=None)[0], np.float64)
    left, sizes, right = np.linalg.svd(between)
    turned = left @ right
    mirrored = bool(np.linalg.det(turned) < 0)
    if mirrored:
        # A reflection across the plane whose normal is turned round: Householder.
        _, vectors = np.linalg.eigh((turned + turned.T) / 2.0)
        axis = np.asarray(vectors[:, 0])
        turned = turned @ (np.eye(3) - 2.0 * np.outer(axis, axis))
    else:
        axis = _axis(turned)
    return Change(
        turn_deg=float(np.degrees(np.arccos(np.clip((np.trace(turned) - 1.0) / 2.0, -1.0, 1.0)))),
        axis=axis,
        gain=float(np.cbrt(np.prod(sizes))),
        mirrored=mirrored,
        order="".join("xyz"[row] for row in np.argmax(np.abs(between), axis=0)),
        bias=np.asarray(
            np.linalg.lstsq(before.steady, now.bias_m - before.bias_m, rcond=None)[0], np.float64
        ),
        delay_steps=now.delay_steps - before.delay_steps,
        between=between,
    )


def _axis(turned: Float64Array) -> Float64Array:
    """The axis (3,) of a rotation, also of half a turn."""
    axis = np.array(
        [turned[2, 1] - turned[1, 2], turned[0, 2] - turned[2, 0], turned[1, 0] - turned[0, 1]]
    )
    if np.linalg.norm(axis) < 1e-6:
        columns = turned + np.eye(3)
        axis = columns[:, int(np.argmax(np.diag(columns)))]
    return np.asarray(axis / max(float(np.linalg.norm(axis)), 1e-12))


def spread(
    motions: Sequence[Motion], before: Response, draws: int, seed: int
) -> tuple[float, float, Float64Array]:
    """Bootstrap over episodes: deviations of turn (deg), log gain and bias (3,) (commands)."""
    rng = np.random.default_rng(seed)
    turns, gains, biases = [], [], []
    for _ in range(draws):
        drawn = [motions[int(index)] for index in rng.integers(len(motions), size=len(motions))]
        try:
            found = change(respond(drawn, before.lag), before)
        except CalibrationError:
            continue
        turns.append(found.turn_deg)
        gains.append(np.log(max(found.gain, 1e-9)))
        biases.append(found.bias)
    if len(turns) < 3:
        return float("inf"), float("inf"), np.full(3, np.inf)
    return float(np.std(turns)), float(np.std(gains)), np.std(np.array(biases), axis=0)


def _fit(motions: Sequence[Motion], delay: int, lag: float | None) -> tuple[Float64Array, float]:
    """Rows B', a and c (5, 3) by robust least squares with one lag for all axes, and residual."""
    known, moved = _rows(motions, delay)
    weight = np.ones(len(moved))
    solution = np.zeros((5, 3))
    for _ in range(ROUNDS):
        solution = _solve(known, moved, weight, lag)
        off = np.linalg.norm(moved - _predicted(known, solution), axis=1)
        # A blocked or pushed step is far off; it gets the weight that Huber's loss gives it.
        scale = max(1.4826 * float(np.median(off)), 1e-7)
        weight = np.minimum(1.0, HUBER * scale / np.maximum(off, 1e-12))
    return solution, float(np.sqrt((weight * off**2).sum() / weight.sum()))


def _solve(
    known: Float64Array, moved: Float64Array, weight: Float64Array, lag: float | None
) -> Float64Array:
    """One weighed step. The lag is shared by the axes, so it is solved for together with them."""
    commands, earlier = known[:, :3], known[:, 3:]
    root = np.sqrt(weight)[:, None]
    ones = np.hstack([commands, np.ones((len(moved), 1))]) * root
    if lag is None:
        # Frisch and Waugh: what commands and bias leave of both sides decides the lag.
        left = earlier * root - ones @ np.linalg.lstsq(ones, earlier * root, rcond=None)[0]
        right = moved * root - ones @ np.linalg.lstsq(ones, moved * root, rcond=None)[0]
        lag = float((left * right).sum() / max(float((left**2).sum()), 1e-18))
    found = np.linalg.lstsq(ones, (moved - lag * earlier) * root, rcond=None)[0]
    solution = np.zeros((5, 3))
    solution[:3], solution[3], solution[4] = found[:3], lag, found[3]
    return solution


def _predicted(known: Float64Array, solution: Float64Array) -> Float64Array:
    moved: Float64Array = known[:, :3] @ solution[:3] + known[:, 3:] * solution[3] + solution[4]
    return moved


def _rows(motions: Sequence[Motion], delay: int) -> tuple[Float64Array, Float64Array]:
    """Commands and earlier moves side by side (n, 6), and the moves (n, 3) they explain.

    The first LONGEST_DELAY steps are left out at every delay, so that all fits see the same rows;
    where episodes are too short for that, what came before them counts as no command.
    """
    for first in (LONGEST_DELAY + 1, 1):
        rows = [_from(motion, delay, first) for motion in motions if len(motion.moves) > first]
        if sum(len(moved) for _, moved in rows) >= LEAST_STEPS // 2:
            return np.vstack([known for known, _ in rows]), np.vstack([moved for _, moved in rows])
    found = sum(len(moved) for _, moved in rows)
    raise CalibrationError(
        f"{LEAST_STEPS // 2} free control steps after the first of an episode wanted, found {found}"
    )


def _from(motion: Motion, delay: int, first: int) -> tuple[Float64Array, Float64Array]:
    count, free = len(motion.moves), motion.free[first:]
    before = np.vstack([np.zeros((LONGEST_DELAY, 3)), motion.commands])
    start = LONGEST_DELAY + first - delay
    commands = before[start : start + count - first]
    known = np.hstack([commands, motion.moves[first - 1 : count - 1]])[free]
    return known, motion.moves[first:][free]
