"""A camera on a ROS topic, raw or compressed."""

from __future__ import annotations

import math
import zlib
from functools import partial

from bridges.cameras.frames import Frame, Latest
from bridges.messages import compressed_image_of, image_of
from bridges.node import Link
from bridges.topic import Sample


class RosCamera:
    """Frames are unpacked only when somebody looks at them."""

    def __init__(self, link: Link, topic: str, *, compressed: bool) -> None:
        self._link, self._topic, self._compressed = link, topic, compressed
        self._latest = Latest()
        self._listening = False

    def open(self) -> None:
        """Subscribe, with the reliability that the publishers offer."""
        if not self._listening:
            from sensor_msgs.msg import CompressedImage, Image

            kind = CompressedImage if self._compressed else Image
            self._link.listen(self._topic, kind, "as offered", self._hear)
            self._listening = True

    @property
    def newest(self) -> Frame | None:
        """The last picture."""
        return self._latest.newest

    @property
    def trouble(self) -> str:
        """Whether anybody publishes."""
        return "" if self._link.publishers(self._topic) else f"nobody publishes {self._topic}"

    def close(self) -> None:
        """The subscription ends with its node."""
        self._listening = False
        self._latest.forget()

    def _hear(self, sample: Sample) -> None:
        message, trouble = sample.message, ""
        if not math.isfinite(sample.age_s(sample.arrival_s)):
            trouble = (
                "its stamps are missing"
                if math.isnan(sample.lag_s)
                else f"its stamps are {-sample.lag_s:.2f} s ahead of this machine's clock"
            )
        unpack = compressed_image_of if self._compressed else image_of
        checksum = zlib.crc32(message.data)
        self._latest.put(partial(unpack, message), sample.captured_s, checksum, trouble)
