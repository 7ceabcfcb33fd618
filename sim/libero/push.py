"""Which things are slid over the table instead of carried."""

from __future__ import annotations

import numpy as np

from sim.libero.sight import Sight

_FLAT_M, _WIDE_M = 0.03, 0.1


def is_slid(sight: Sight, thing: str, target: str) -> bool:
    """Whether a thing is flat and wide and goes to a patch of the table, as a plate does."""
    if sight.owner(target) is not None:
        return False
    long, wide, high = np.ptp(sight.points(thing), axis=0)
    return bool(high < _FLAT_M and max(long, wide) > _WIDE_M)
