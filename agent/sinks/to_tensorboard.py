"""Sink `tensorboard`: event files in the run folder, without torch or TensorFlow."""

from __future__ import annotations

import time
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from agent.sinks.row import About, Row

FOLDER = "tensorboard"


class TensorBoard:
    """Scalars by name; the step is the row's number."""

    def __init__(self) -> None:
        self._writer: EventFileWriter | None = None

    def open(self, about: About) -> None:
        """Begin one more event file; TensorBoard reads all of a folder as one."""
        self._writer = EventFileWriter(str(Path(about.folder) / FOLDER))

    def take(self, row: Row) -> None:
        """One event with all figures of the row."""
        if self._writer is None:
            return
        values = [
            Summary.Value(tag=name, simple_value=value) for name, value in row.metrics.items()
        ]
        event = Event(wall_time=time.time(), step=row.number, summary=Summary(value=values))
        self._writer.add_event(event)
        self._writer.flush()

    def close(self) -> None:
        """Write the rest."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
