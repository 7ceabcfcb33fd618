"""Our part of the time in which an arm comes to a stop, out of what a run recorded."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from agent.cadence import Cadence, Pace, Span, cadence
from calibration.profile import Profile

NOT_RATED = (
    "This is measured, not guaranteed, and no safety function: for a safety distance take the "
    "robot's own stop and its maker's figures (ISO 13855: S = K T + C)."
)


@dataclass(frozen=True, slots=True)
class Budget:
    """Parts of T in ISO 13855 that are ours.

    reaction: from a picture's capture to the command that answers it. held_s: after this long
    without a command the guard holds the arm. way_m: how far the tool goes at its speed limit in
    reaction's p99; NaN without a cell.
    """

    cadence: Cadence
    reaction: Span
    held_s: float
    speed_m_s: float
    way_m: float


def budget(paces: Iterable[Pace], cell: Profile | None) -> Budget:
    """Add a run's episodes up. cell: the profile that the run was held to."""
    hz = cell.rates.control_hz if cell else math.nan
    found = cadence(paces, hz)
    none = Span(math.nan, math.nan, math.nan, 0)
    reaction = found.spans.get("observed to applied", none)
    speed = cell.limits.speed_m_s if cell else math.nan
    held_s = max(3.0 / hz, cell.freshness.request_s) if cell else math.nan
    return Budget(found, reaction, held_s, speed, speed * reaction.p99_s)


def said(found: Budget) -> str:
    """Say it in a few lines."""
    lines = []
    for name, what in (
        ("observed to decided", "sensor age and inference"),
        ("decided to sent", "setpoints made"),
        ("sent to applied", "guard and transport"),
        ("observed to applied", "our reaction in all"),
    ):
        span = found.cadence.spans.get(name)
        figures = (
            f"p50 {1e3 * span.p50_s:7.1f} ms   p99 {1e3 * span.p99_s:7.1f} ms   "
            f"most {1e3 * span.most_s:7.1f} ms   of {span.count}"
            if span
            else "not measured on this robot"
        )
        lines.append(f"{what:<26} {figures}")
    if math.isfinite(found.held_s):
        lines.append(
            f"{'held without commands':<26} after {1e3 * found.held_s:.0f} ms at the latest"
        )
    if math.isfinite(found.way_m):
        lines.append(
            f"{'way in that p99':<26} {1e3 * found.way_m:.0f} mm at {found.speed_m_s:g} m/s"
        )
    return "\n".join([*lines, NOT_RATED])
