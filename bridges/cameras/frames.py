"""The newest frame of a camera, and how long its pixels have not changed."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from agent.episode import Uint8Array


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture.

    fetch: gives it, (h, w, 3) RGB; raises RobotFault where it is none. captured_s: monotonic.
    equal: frames in a row with these very pixels, this one counted. since_s: the first of those.
    trouble: why its time cannot be trusted, "" where it can.
    """

    fetch: Callable[[], Uint8Array]
    captured_s: float
    equal: int
    since_s: float
    trouble: str = ""

    def age_s(self, at_s: float) -> float:
        """How old it is; infinite where its time cannot be trusted."""
        return math.inf if self.trouble else at_s - self.captured_s


class Camera(Protocol):
    """A source of pictures. Its constructor touches nothing."""

    def open(self) -> None:
        """Begin to take pictures; begin again where it had stopped."""
        ...

    @property
    def newest(self) -> Frame | None:
        """The last picture, however old; None before the first."""
        ...

    @property
    def trouble(self) -> str:
        """Why no pictures come, as far as is known; "" for nothing known."""
        ...

    def close(self) -> None:
        """Take no more. May be called twice."""
        ...


class Latest:
    """Keeps the newest frame; written by the thread that receives, read by any other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frame: Frame | None = None
        self._checksum = -1

    def put(
        self, fetch: Callable[[], Uint8Array], captured_s: float, checksum: int, trouble: str = ""
    ) -> None:
        """A picture has come. checksum: of its pixels; equal sums are taken for equal pixels."""
        with self._lock:
            before = self._frame
            same = before is not None and checksum == self._checksum
            equal, since_s = (
                (before.equal + 1, before.since_s) if before and same else (1, captured_s)
            )
            self._checksum = checksum
            self._frame = Frame(fetch, captured_s, equal, since_s, trouble)

    def forget(self) -> None:
        """Drop the frame."""
        with self._lock:
            self._frame, self._checksum = None, -1

    @property
    def newest(self) -> Frame | None:
        """The last frame."""
        with self._lock:
            return self._frame
