"""What last came in on one topic, and how old it is."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agent.clock import now_s
from agent.errors import RobotFault
from bridges.messages import stamp_s

# Clocks of two machines kept by NTP agree to some milliseconds; a later stamp than this is a lie.
FUTURE_S = 0.05
_THIN_S = 0.01
_KEPT = 200


@dataclass(frozen=True, slots=True)
class Sample:
    """One message. arrival_s: monotonic. lag_s: wall clock at arrival minus its stamp, or NaN."""

    message: Any
    arrival_s: float
    lag_s: float

    @property
    def captured_s(self) -> float:
        """Best estimate of when it was measured, monotonic."""
        return self.arrival_s - (self.lag_s if self.lag_s > 0 else 0.0)

    def age_s(self, at_s: float) -> float:
        """How old it is at a moment; infinite where its stamp is missing or in the future."""
        # NaN fails the comparison too.
        return at_s - self.captured_s if self.lag_s >= -FUTURE_S else math.inf


class Topic:
    """The newest message of one topic, and the course of the last two seconds or so.

    hear: told of each message as well, on the thread that receives it; must not block.
    """

    def __init__(self, name: str, hear: Callable[[Sample], None] | None = None) -> None:
        self.name = name
        self._hear = hear
        self._lock = threading.Lock()
        self._course: deque[Sample] = deque(maxlen=_KEPT)

    def take(self, message: Any) -> None:  # noqa: ANN401  any message
        """A message has arrived."""
        stamped_s = stamp_s(message)
        sample = Sample(message, now_s(), time.time() - stamped_s)
        with self._lock:
            course = self._course
            # The newest is always kept; those before it, ten milliseconds apart.
            if len(course) > 1 and sample.arrival_s - course[-2].arrival_s < _THIN_S:
                course.pop()
            course.append(sample)
        if self._hear is not None:
            self._hear(sample)

    def forget(self) -> None:
        """Drop everything that has come in so far."""
        with self._lock:
            self._course.clear()

    @property
    def newest(self) -> Sample | None:
        """The message that came in last."""
        with self._lock:
            return self._course[-1] if self._course else None

    def near(self, moment_s: float) -> Sample | None:
        """The message measured nearest to a moment on the monotonic clock."""
        with self._lock:
            course = list(self._course)
        return min(course, key=lambda each: abs(each.captured_s - moment_s), default=None)

    def fresh(self, limit_s: float, what: str) -> Sample:
        """The newest message. Raises RobotFault where there is none or it is older than limit_s."""
        newest = self.newest
        if newest is None:
            raise RobotFault(
                f"{what} wanted on {self.name}, nothing came; does anybody publish it?"
            )
        age_s = newest.age_s(now_s())
        if age_s <= limit_s:
            return newest
        if math.isfinite(age_s):
            raise RobotFault(
                f"{what} on {self.name} is {age_s:.2f} s old, limit {limit_s:.2f} s; "
                "is its driver running, and the link to it whole?"
            )
        found = "no stamp" if math.isnan(newest.lag_s) else f"one {-newest.lag_s:.2f} s ahead"
        raise RobotFault(
            f"{what} on {self.name} stamped with its time wanted, found {found}; "
            "set the clocks of both machines by one server (chrony)"
        )
