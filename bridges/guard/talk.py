"""What the guard says, without ever waiting for whoever reads it."""

from __future__ import annotations

import logging
import os
import queue
import threading
import time

ROOM = 256  # lines
_FLUSH_S = 0.1
_LOOK_S = 0.005


class Talk(logging.Handler):
    """Hands lines to a thread that writes them; what finds no room is left out and counted.

    A terminal that is held (Ctrl-S) or a full pipe blocks a writer for as long as it likes, and a
    guard that waits for it guards nothing.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._lines: queue.Queue[str] = queue.Queue(ROOM)
        self._busy = threading.Event()
        self._left_out = 0
        threading.Thread(target=self._write, name="talk", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a line, or leave it out. Never waits."""
        lines, missing = [self.format(record)], self._left_out
        if missing:
            lines.insert(0, f"({missing} lines were left out)")
        try:
            self._lines.put_nowait("\n".join(lines) + "\n")
            self._left_out = 0
        except queue.Full:
            self._left_out = missing + 1

    def close(self) -> None:
        """Give the writing thread a moment to finish, and no more."""
        ends_s = time.monotonic() + _FLUSH_S
        while time.monotonic() < ends_s and (not self._lines.empty() or self._busy.is_set()):
            time.sleep(_LOOK_S)
        super().close()

    def _write(self) -> None:
        while True:
            data = self._lines.get().encode(errors="replace")
            self._busy.set()
            try:
                # Not sys.stderr: its lock, held while blocked, would abort the interpreter's end.
                while data:
                    data = data[os.write(self._descriptor, data) :]
            except OSError:
                pass  # nobody is there to be told
            finally:
                self._busy.clear()
