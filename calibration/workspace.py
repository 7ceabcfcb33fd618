"""The box that a tool may be in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Box:
    """Two opposite corners (x, y, z), m, in the arm's base frame; the walls belong to it."""

    low_m: tuple[float, float, float]
    high_m: tuple[float, float, float]

    def contains(self, point_m: ArrayLike) -> bool:
        """Whether a point (3,) m lies inside; a point that is not finite lies nowhere."""
        point = np.asarray(point_m, np.float64)
        return bool(np.all(point >= self.low_m) and np.all(point <= self.high_m))

    def project(self, point_m: ArrayLike) -> Vector:
        """Find the nearest point (3,) m inside. Raises ValueError for one that is not finite."""
        point = np.asarray(point_m, np.float64)
        # np.clip would hand a NaN on as it is.
        if point.shape != (3,) or not np.isfinite(point).all():
            raise ValueError(f"a finite point of 3 metres wanted, found {point}")
        return np.asarray(np.clip(point, self.low_m, self.high_m))
