"""The thread that brings images to disk while the robot moves: whole chunks, in order."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from agent.durable import make_folder, write_bytes
from agent.episode import Observation
from agent.errors import StorageError
from agent.store.arrays import CHUNK, ChunkEncoder
from agent.store.hashes import FileHash
from agent.store.layout import Layout
from agent.store.ring import SLOTS

log = logging.getLogger(__name__)


class FrameWriter:
    """Writes chunks of ten views behind the control loop, never more than a ring behind.

    on_chunk: called in this thread when a chunk of every camera is on the disk.
    waits, waited_s: how often, and how long in all, `put` stood still for a slow disk.
    """

    def __init__(
        self, folder: Path, layout: Layout, on_chunk: Callable[[], None] = lambda: None
    ) -> None:
        self._on_chunk = on_chunk
        self.waits = 0
        self.waited_s = 0.0
        self.files: dict[str, FileHash] = {}
        self._folder = folder
        self._layout = layout
        self._views: list[Observation] = []  # views _written .. on
        self._written = 0
        self._ending = False
        self._error: Exception | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="episode-frames", daemon=True)

    def start(self) -> None:
        """Make the folders of the chunks, and begin. Raises StorageError."""
        for camera in self._layout.cameras:
            make_folder(self._folder / "images" / camera)
        self._thread.start()

    def wait_for_room(self, index: int) -> None:
        """Return when view `index` may take its slot of the ring: holds, never drops.

        Raises StorageError when the disk failed the thread.
        """
        with self._changed:
            if index - self._written >= SLOTS and self._error is None:
                began = time.monotonic()
                self._changed.wait_for(
                    lambda: index - self._written < SLOTS or self._error is not None
                )
                self.waits += 1
                self.waited_s += time.monotonic() - began
                log.warning("the disk is slow: held for %.2f s", time.monotonic() - began)
            self._raise_error()

    def put(self, view: Observation) -> None:
        """Take the next view."""
        with self._changed:
            self._views.append(view)
            self._changed.notify_all()

    def end(self) -> None:
        """Say that no view comes any more; the thread writes what it has and stops."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()

    def close(self) -> None:
        """Wait until all is on disk. May be called twice. Raises StorageError if it is not."""
        self.end()
        if self._thread.is_alive():
            self._thread.join()
        with self._changed:
            self._raise_error()

    def _raise_error(self) -> None:
        if isinstance(self._error, StorageError):
            raise StorageError(str(self._error)) from self._error
        if self._error is not None:  # a bug, which keeps its traceback
            raise self._error

    def _run(self) -> None:
        try:
            encoder = ChunkEncoder(self._layout)
            while views := self._next():
                self._write(encoder, views)
        except Exception as error:  # handed to the control thread, which raises it
            log.error("recording failed: %s", error)
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _next(self) -> list[Observation]:
        with self._changed:
            self._changed.wait_for(lambda: len(self._views) >= CHUNK or self._ending)
            return self._views[:CHUNK]

    def _write(self, encoder: ChunkEncoder, views: list[Observation]) -> None:
        for camera in self._layout.cameras:
            frames = np.stack([view.images[camera] for view in views])
            path, data = encoder.encode(camera, self._written, frames)
            write_bytes(self._folder / path, data)
            self.files[path] = FileHash.of(data)
        self._on_chunk()
        with self._changed:
            del self._views[: len(views)]
            self._written += len(views)
            self._changed.notify_all()
