"""Whether a figure that should stay where it was has drifted: Page's cumulative sum, both ways.

Page (1954), "Continuous inspection schemes": S = max(0, S + |z| - slack), an alarm above a limit.
What counts as drift at all is a threshold in the figure's own unit: half of it, or SLACK deviations
where the figure is noisier, is what is borne for ever.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

LIMIT = 8.0  # deviations
MOST = 0.6 * LIMIT  # that one look can add: two in a row are needed, however far off
SLACK = 1.4  # deviations: the mean of a few looks is off by half of one, and starts come again
# A deviation known from n looks alone is too small as often as not: Student's t at a tail that
# counts here, over the normal one.
FEW = {3: 2.6, 4: 2.1, 5: 1.8, 6: 1.6, 7: 1.5, 8: 1.45, 10: 1.35, 15: 1.22, 20: 1.15}


@dataclass(frozen=True, slots=True)
class Normal:
    """What a figure was while all was well. least: the deviation that is believed at least."""

    mean: float
    deviation: float


def normal(values: ArrayLike, least: float) -> Normal:
    """Mean and deviation of a figure while all was well; one wild value counts for little.

    least: no deviation below this is believed. Two values or fewer tell nothing but the least.
    """
    known = np.asarray(values, np.float64)
    middle = float(np.median(known)) if known.size else 0.0
    if known.size < 3:
        return Normal(middle, 2.0 * least)
    far = 1.4826 * float(np.median(np.abs(known - middle)))
    plain = float(np.std(known, ddof=1))
    # The median deviation of a handful is now and then nought; the plain one follows a wild value.
    spread = max(far, min(plain, 2.0 * far), 0.5 * plain)
    count = max((n for n in FEW if n <= known.size), default=3)
    return Normal(middle, max(FEW[count] * spread, least))


@dataclass(frozen=True, slots=True)
class Sum:
    """A figure under watch. up, down: the two sums; last: the figures since both were nought."""

    normal: Normal
    threshold: float
    up: float = 0.0
    down: float = 0.0
    last: tuple[float, ...] = ()

    @property
    def alarmed(self) -> bool:
        """Whether the figure has drifted."""
        return max(self.up, self.down) > LIMIT

    @property
    def share(self) -> float:
        """How near it is to an alarm: 1 is one."""
        return max(self.up, self.down) / LIMIT

    @property
    def off(self) -> float:
        """How far the figure is off, in its unit: the median of what it was since it left."""
        return float(np.median(self.last)) - self.normal.mean if self.last else 0.0

    def after(self, value: float, deviation: float = 0.0) -> Sum:
        """The sums after one more look. deviation: what this look's own is, where it is larger."""
        if not math.isfinite(value):
            return self
        spread = max(self.normal.deviation, deviation)
        slack = max(SLACK, 0.5 * self.threshold / spread)
        ahead = (value - self.normal.mean) / spread
        up = max(0.0, self.up + min(ahead - slack, MOST))
        down = max(0.0, self.down + min(-ahead - slack, MOST))
        last = (*self.last, value)[-LONGEST:] if max(up, down) > 0 else ()
        return replace(self, up=up, down=down, last=last)

    def begun_anew(self) -> Sum:
        """The same watch as if nothing had been seen."""
        return replace(self, up=0.0, down=0.0, last=())


LONGEST = 20


def worst(sums: Sequence[Sum]) -> int:
    """Which of several is nearest to an alarm."""
    return int(np.argmax([each.share for each in sums]))
