"""A camera that OpenCV reads: a device number, a stream's address, or a video file."""

from __future__ import annotations

import logging
import threading
import zlib
from typing import Any

import numpy as np

from agent.clock import now_s
from agent.episode import Uint8Array
from agent.errors import RobotFault
from bridges.cameras.frames import Frame, Latest

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 8.0


class OpenCVCamera:
    """Reads on a thread of its own; a source that ends or cannot be opened is tried again.

    source: as the profile has it, a whole number for a device. The time of a frame is when it had
    been read, which is later than its capture by what the driver buffers.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._latest = Latest()
        self._ended = threading.Event()
        self._wanted_now = threading.Event()
        self._thread: threading.Thread | None = None
        self._trouble = ""

    def open(self) -> None:
        """Start to read, at once where it is waiting to try again."""
        self._wanted_now.set()
        if self._thread is not None and self._thread.is_alive():
            return
        try:
            import cv2  # noqa: F401  whether it is there
        except ImportError as error:
            raise RobotFault(
                f"OpenCV wanted for camera opencv:{self._source}, it cannot be imported "
                f"({error}); pip install 'vlarl-agent[opencv]'"
            ) from error
        self._ended.clear()
        self._thread = threading.Thread(
            target=self._run, name=f"opencv:{self._source}", daemon=True
        )
        self._thread.start()

    @property
    def newest(self) -> Frame | None:
        """The last picture."""
        return self._latest.newest

    @property
    def trouble(self) -> str:
        """Why nothing is read."""
        return self._trouble

    def close(self) -> None:
        """Stop the thread. May be called twice."""
        self._ended.set()
        self._wanted_now.set()
        if self._thread is not None:
            self._thread.join(2.0)
        self._thread = None
        self._latest.forget()

    def _run(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._ended.is_set():
            self._wanted_now.clear()
            if self._read() > 0:
                pause_s = FIRST_PAUSE_S
            log.warning("camera opencv:%s: %s", self._source, self._trouble)
            self._wanted_now.wait(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _read(self) -> int:
        """Read until the source ends, and say how many frames it gave."""
        import cv2

        count = 0
        source = int(self._source) if self._source.isdecimal() else self._source
        capture = cv2.VideoCapture(source)
        try:
            if not capture.isOpened():
                self._trouble = f"{self._source} cannot be opened; is it plugged in, and free?"
                return 0
            # The newest frame is wanted, never a queue of old ones.
            capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
            is_file = isinstance(source, str) and "://" not in source
            rate_hz = capture.get(cv2.CAP_PROP_FPS) if is_file else 0.0
            self._trouble, began_s = "", now_s()
            while not self._ended.is_set():
                read, picture = capture.read()
                if not read:
                    self._trouble = f"{self._source} ended after {count} frames"
                    return count
                count += 1
                self._put(picture)
                if rate_hz > 0:
                    # A file gives all its frames at once; a camera would not.
                    self._ended.wait(max(0.0, began_s + count / rate_hz - now_s()))
            return count
        finally:
            capture.release()

    def _put(self, picture: Any) -> None:  # noqa: ANN401  what OpenCV gives
        pixels: Uint8Array = np.asarray(picture, np.uint8)
        if pixels.ndim == 2:
            pixels = np.broadcast_to(pixels[:, :, None], (*pixels.shape, 3))
        else:
            pixels = pixels[:, :, ::-1]
        self._latest.put(lambda: pixels, now_s(), zlib.crc32(np.ascontiguousarray(pixels).data))
