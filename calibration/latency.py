"""How late one signal follows another, by cross-correlation of their rates of change.

Knapp and Carter 1976: the delay is where the correlation is largest; a parabola through the three
values about the maximum tells it finer than the grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d

from calibration.complaints import CalibrationError

Float64Array = NDArray[np.float64]

GRID_S = 0.005
SMOOTH_S = 0.04  # both alike, so that it delays neither
LEAST_S = 2.0  # of common time
LEAST_CORRELATION = 0.5
PARTS = 4


@dataclass(frozen=True, slots=True)
class Delay:
    """seconds: how much later. deviation_s: over parts of the record. correlation: 0 .. 1."""

    seconds: float
    deviation_s: float
    correlation: float


@dataclass(frozen=True, slots=True)
class Signal:
    """Times (n,) s, rising, and values (n,) in any unit."""

    times_s: Float64Array
    values: Float64Array


def delay(cause: Signal, effect: Signal, longest_s: float = 0.6) -> Delay:
    """How much later the effect does what the cause does; below 0 where it comes first.

    The sign of the effect does not matter. Raises CalibrationError where both share too little
    time, or one does not follow the other.
    """
    first = max(cause.times_s[0], effect.times_s[0])
    last = min(cause.times_s[-1], effect.times_s[-1])
    if last - first < LEAST_S:
        raise CalibrationError(
            f"{LEAST_S:g} s of both signals wanted for a delay, found {max(0.0, last - first):.1f}"
        )
    grid = np.arange(first, last, GRID_S)
    ours, theirs = (_rates(each, grid) for each in (cause, effect))
    if not (ours.any() and theirs.any()):
        still = "commands" if not ours.any() else "measured"
        raise CalibrationError(f"motion wanted for a delay, nothing {still} moved")
    seconds, strength = _best(ours, theirs, longest_s)
    if strength < LEAST_CORRELATION:
        raise CalibrationError(
            f"a motion that follows its cause wanted, the best correlation within {longest_s:g} s "
            f"is {strength:.2f} of {LEAST_CORRELATION:g}; does it move at all?"
        )
    # The same again with a part left out (jackknife; Efron 1982).
    again = []
    for part in np.array_split(np.arange(len(grid)), PARTS):
        kept = np.ones(len(grid), np.bool_)
        kept[part] = False
        again.append(_best(ours * kept, theirs * kept, longest_s)[0])
    spread = np.sqrt((PARTS - 1) * np.mean((np.array(again) - np.mean(again)) ** 2))
    return Delay(seconds, float(spread), strength)


def _rates(signal: Signal, grid: Float64Array) -> Float64Array:
    # Straight lines between samples would make stairs of the rates, and pull the delay to them.
    values = CubicSpline(signal.times_s, signal.values)(grid)
    rates = gaussian_filter1d(np.gradient(values, GRID_S), SMOOTH_S / GRID_S)
    return np.asarray(rates - rates.mean() if np.ptp(rates) > 1e-12 else np.zeros_like(rates))


def _best(ours: Float64Array, theirs: Float64Array, longest_s: float) -> tuple[float, float]:
    longest = round(longest_s / GRID_S)
    size = float(np.linalg.norm(ours) * np.linalg.norm(theirs)) or 1.0
    whole = np.correlate(theirs, ours, "full") / size
    middle = len(ours) - 1
    # The later, the less of both overlaps: a mean over what does favours no delay.
    overlap = 1.0 - np.abs(np.arange(-longest, longest + 1)) / len(ours)
    near = np.abs(whole[middle - longest : middle + longest + 1]) / overlap
    top = int(np.argmax(near))
    off = 0.0
    if 0 < top < len(near) - 1:
        before, here, after = near[top - 1 : top + 2]
        bend = before - 2 * here + after
        off = 0.5 * float(before - after) / float(bend) if bend else 0.0
    return (top + off - longest) * GRID_S, float(near[top])
