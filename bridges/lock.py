"""One agent at a time on one arm of one machine."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

from agent.errors import RobotFault


class ArmLock:
    """A lock file that the system lets go of when its holder ends, however it ends."""

    def __init__(self) -> None:
        self._handle: int | None = None

    def take(self, domain: int, namespace: str) -> None:
        """Take the arm of this ROS domain and namespace. Raises RobotFault where it is taken."""
        if self._handle is not None:
            return
        name = f"vlarl-arm-{domain}-{namespace.replace('/', '-') or 'root'}.lock"
        path = Path(tempfile.gettempdir()) / name
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise RobotFault(f"lock file {path} cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(handle, 20, 0).decode(errors="replace").strip()
            os.close(handle)
            raise RobotFault(
                f"one agent on an arm wanted, process {holder or 'unknown'} has this one "
                f"(domain {domain}, namespace {namespace!r}); end it first"
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        self._handle = handle

    def release(self) -> None:
        """Let go. May be called twice."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
