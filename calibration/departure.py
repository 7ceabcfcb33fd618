"""How the moves of one episode depart from a known response of the arm: turn, gain, drift, delay.

What the response predicts from the commands alone is laid under what was measured: measured =
matrix @ predicted + drift, by robust least squares with the matrix held near one where the episode
does not tell, for several delays, of which the best is taken.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from calibration.motion import Float64Array, Motion, Response

FEWEST = 12  # free control steps of an episode that tells anything
PRIOR = 0.5  # deviation of the matrix from one that is believed before looking
LATEST = 6  # control steps beside the known delay that are tried
BETTER = 0.02  # share of the loss that a delay must save for each step it is off
HUBER = 2.0


@dataclass(frozen=True, slots=True)
class Departure:
    """NaN where the episode does not tell.

    turn_deg: about z, counterclockwise seen against it. gain: (3,) along x, y, z. drift_m: (3,) a
    control step that nobody commanded. late_steps: more than the known delay. loss: what is left,
    squares of the response's residual; large where the arm was blocked or pushed.
    """

    turn_deg: float
    gain: tuple[float, float, float]
    drift_m: tuple[float, float, float]
    late_steps: float
    loss: float = math.nan


def departure(known: Response, motion: Motion) -> Departure:
    """Compare one episode with the response; all NaN where too little of it was free."""
    if int(motion.free.sum()) < FEWEST:
        return Departure(math.nan, (math.nan,) * 3, (math.nan,) * 3, math.nan)
    fits = {late: _fit(known, motion, late) for late in range(-known.delay_steps, LATEST + 1)}
    late = min(fits, key=lambda each: fits[each][1] * (1.0 + BETTER * abs(each)))
    found = fits[late][0]
    matrix, drift = found[:3].T, found[3]
    turn = math.atan2(matrix[1, 0] - matrix[0, 1], matrix[0, 0] + matrix[1, 1])
    cosine, sine = math.cos(turn), math.sin(turn)
    back = np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    gain = np.diag(back @ matrix)
    return Departure(math.degrees(turn), _three(gain), _three(drift), float(late), fits[late][1])


def predicted(known: Response, commands: Float64Array, late: int) -> Float64Array:
    """Moves (n, 3) m that follow commands (n, 3) from rest, the bias left out."""
    due = known.delay_steps + late
    arrived = np.concatenate([np.zeros((due, 3)), commands])[: len(commands)]
    driven = (1.0 - known.lag) * (arrived @ known.steady.T)
    moves = np.zeros_like(driven)
    before = np.zeros(3)
    for number, push in enumerate(driven):
        before = known.lag * before + push
        moves[number] = before
    return moves


def _fit(known: Response, motion: Motion, late: int) -> tuple[Float64Array, float]:
    """Rows (4, 3) of the matrix's transpose and the drift, and the loss a step."""
    free = motion.free
    told = predicted(known, motion.commands, late)[free]
    moved = motion.moves[free] - known.bias_m
    design = np.column_stack([told, np.ones(len(told))])
    start = np.vstack([np.eye(3), np.zeros(3)])
    noise = max(known.residual_m, 1e-6)
    ridge = np.diag([(noise / PRIOR) ** 2] * 3 + [0.0])
    weight = np.ones(len(told))
    found, off = start, np.zeros(len(told))
    for _ in range(6):
        heavy = design * weight[:, None]
        step = np.linalg.solve(heavy.T @ design + ridge, heavy.T @ (moved - design @ start))
        found = start + step
        off = np.sqrt(np.mean(np.square(moved - design @ found), axis=1))
        # An episode whose arm was blocked for half its steps still tells by the other half.
        scale = HUBER * max(noise, 1.4826 * float(np.median(off)))
        weight = np.minimum(1.0, scale / np.maximum(off, 1e-12))
    return found, float(np.mean(np.minimum(off / noise, 10.0) ** 2)) + 1e-6


def _three(values: Float64Array) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
