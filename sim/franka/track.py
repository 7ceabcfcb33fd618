"""Where the tool truly was: the last seconds of its path, and how it came to a stop."""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from sim.tabletop.arm import Float64Array

KEPT_S = 20.0
# A row of the trace: monotonic seconds, the tool in the base frame, its opening.
COLUMNS = ("time_s", "x_m", "y_m", "z_m", "opening")
_STILL_M_S = 0.005
_STILL_FOR_S = 0.1


@dataclass(frozen=True, slots=True)
class Stop:
    """How the tool came to rest. way_mm: path length; None where it did not within the trace."""

    way_mm: float
    time_ms: float


class Track:
    """Keeps the last rows and the faults that came and went, each with its time."""

    def __init__(self, tick_s: float) -> None:
        self._rows: deque[list[float]] = deque(maxlen=round(KEPT_S / tick_s))
        self._faults: deque[tuple[float, str]] = deque(maxlen=100)

    def note(self, time_s: float, place: Float64Array, opening: float) -> None:
        """Keep one row."""
        self._rows.append([time_s, *place.tolist(), opening])

    def fault(self, time_s: float, text: str) -> None:
        """Keep which faults are in force from now on."""
        self._faults.append((time_s, text))

    def text(self) -> str:
        """All of it as JSON: columns, rows, faults."""
        rows = [[round(value, 6) for value in row] for row in self._rows.copy()]
        told = {"columns": COLUMNS, "rows": rows, "faults": list(self._faults.copy())}
        return json.dumps(told)


def stop_after(rows: Sequence[Sequence[float]], since_s: float) -> Stop | None:
    """How far and how long the tool still moved after a moment; None where it did not stop.

    Stopped: slower than 5 mm/s for a tenth of a second. rows: as in a trace's JSON.
    """
    way_m, still_since, way_then = 0.0, since_s, 0.0
    before: Sequence[float] | None = None
    for row in rows:
        if row[0] < since_s:
            continue
        if before is not None:
            step_m = math.dist(row[1:4], before[1:4])
            way_m += step_m
            if step_m > _STILL_M_S * (row[0] - before[0]):
                still_since, way_then = row[0], way_m
        if row[0] - still_since >= _STILL_FOR_S:
            return Stop(1e3 * way_then, 1e3 * (still_since - since_s))
        before = row
    return None
