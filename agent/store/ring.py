"""The newest images of a running episode in a file, until their chunk is on disk.

A view handed to the system by `put` outlives the process: no view is lost to a kill. The file is
preallocated, so a full disk is met when it is made and not in the middle of a move.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.durable import storage_errors
from agent.episode import Observation
from agent.store.layout import Layout

SLOTS = 40  # views: four chunks, 2 s at 20 Hz


class FrameRing:
    """Slot i % SLOTS holds the images of view i, camera after camera."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self._path = path
        self._layout = layout
        self._descriptor: int | None = None

    def open(self) -> None:
        """Make the file at its full size. Raises StorageError."""
        with storage_errors(self._path, "making room in"):
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            size = SLOTS * self._layout.frame_bytes
            if size:
                os.posix_fallocate(self._descriptor, 0, size)

    def put(self, index: int, view: Observation) -> int:
        """Keep the images of view `index`; returns their crc32. Raises StorageError."""
        if self._descriptor is None:
            raise ValueError("the ring is not open")
        crc, at = 0, (index % SLOTS) * self._layout.frame_bytes
        with storage_errors(self._path, "writing"):
            for name in self._layout.cameras:
                frame = np.ascontiguousarray(view.images[name]).data.cast("B")
                crc = zlib.crc32(frame, crc)
                self._write(frame, at)
                at += len(frame)
        return crc

    def close(self) -> None:
        """Let go of the file. May be called twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _write(self, frame: memoryview, at: int) -> None:
        while frame and self._descriptor is not None:
            written = os.pwrite(self._descriptor, frame, at)
            frame, at = frame[written:], at + written


def read_slot(path: Path, layout: Layout, index: int) -> dict[str, NDArray[np.uint8]] | None:
    """The images in the slot of view `index`, which may be another view's; None without a file."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        file.seek((index % SLOTS) * layout.frame_bytes)
        data = file.read(layout.frame_bytes)
    if len(data) < layout.frame_bytes:
        return None
    images, at = {}, 0
    for name, (h, w) in layout.cameras.items():
        images[name] = np.frombuffer(data, np.uint8, 3 * h * w, at).reshape(h, w, 3).copy()
        at += 3 * h * w
    return images


def images_crc(images: dict[str, NDArray[np.uint8]], layout: Layout) -> int:
    """The crc32 that `FrameRing.put` gives for these images."""
    crc = 0
    for name in layout.cameras:
        crc = zlib.crc32(np.ascontiguousarray(images[name]).data.cast("B"), crc)
    return crc
