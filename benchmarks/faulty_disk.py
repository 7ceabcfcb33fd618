"""A disk that fails at the k-th file operation: by death of the process or by an error."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from typing import Any

from agent import durable

OPERATIONS = (
    "open",
    "write",
    "pwrite",
    "posix_fallocate",
    "fsync",
    "ftruncate",
    "mkdir",
    "rename",
    "replace",
    "unlink",
    "rmdir",
)
DEATH = 9


class FaultyDisk:
    """Counts the file operations of this process and acts before the k-th, and later ones if asked.

    k = 0 never acts. Installed once in a forked child, never taken out.
    """

    def __init__(self, k: int, error: int | None = None) -> None:
        self.count = 0
        self._k = k
        self._error = error
        self._lock = threading.Lock()
        self._off = False

    def install(self) -> None:
        """Act from now on."""
        for name in OPERATIONS:
            setattr(os, name, self._faulty(getattr(os, name)))
        durable.swap_names = self._faulty(durable.swap_names)

    def mend(self) -> None:
        """Act no more."""
        self._off = True

    def _faulty(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        def faulty(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  whatever the operation takes
            if operation.__name__ == "write" and stat.S_ISFIFO(os.fstat(args[0]).st_mode):
                return operation(*args, **kwargs)  # what the child tells is not on the disk
            with self._lock:
                self.count += 1
                due = self._k > 0 and self.count >= self._k and not self._off
            if due and self._error is None:
                os._exit(DEATH)
            # A broken disk still opens, and lets go of, what is there.
            spared = operation.__name__ in {"open", "unlink", "rmdir"}
            if due and self._error is not None and not spared:
                raise OSError(self._error, os.strerror(self._error), "the disk of this test")
            return operation(*args, **kwargs)

        return faulty
