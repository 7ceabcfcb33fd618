"""Plain sketches of the kinematic arm's world, drawn in numpy."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from agent.episode import Uint8Array
from sim.franka.body import Sight
from sim.tabletop.arm import Float64Array

FIELD_RAD = math.radians(60.0)
_MIDDLE_M = np.array([0.5, 0.0, 0.35])
_ACROSS_M = 0.8  # what a picture spans


class SketchPainter:
    """The first camera looks down from above, every other one looks along x from in front.

    Tool: a dark square as wide as the hand is open. Mark: a red one.
    """

    def __init__(self, cameras: Sequence[str], image_px: int) -> None:
        self._above = cameras[0] if cameras else ""
        self._px = image_px
        ramp = np.linspace(150, 220, image_px).astype(np.uint8)
        rows, columns = np.meshgrid(ramp, ramp, indexing="ij")
        self._ground = np.stack([rows, columns, np.full_like(rows, 190)], axis=2)

    def draw(self, sight: Sight, camera: str) -> Uint8Array:
        """One picture (h, w, 3)."""
        picture = self._ground.copy()
        wide = 0.02 + 0.03 * float(sight.parts["opening"][0])
        spots = (("mark", 0.03, (210, 30, 30)), ("tool", wide, (40, 40, 60)))
        for name, half_m, colour in spots:
            row, column = self._pixel(sight.parts[name], above=camera == self._above)
            half = max(1, round(half_m / _ACROSS_M * self._px))
            rows = slice(max(row - half, 0), max(row + half, 0))
            picture[rows, max(column - half, 0) : max(column + half, 0)] = colour
        return picture

    def close(self) -> None:
        """Nothing to let go of."""

    def _pixel(self, place: Float64Array, *, above: bool) -> tuple[int, int]:
        """Row and column. From above: x up, y to the left. In front: z up, y to the right."""
        away = (place - _MIDDLE_M) / _ACROSS_M
        up, right = (away[0], -away[1]) if above else (away[2], away[1])
        return round((0.5 - up) * self._px), round((0.5 + right) * self._px)
