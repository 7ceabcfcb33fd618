"""One agent and one guard at a time on one arm of one machine."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

from agent.errors import RobotFault


class ArmLock:
    """The agent's lock on an arm, which the system lets go of when its holder ends, however."""

    def __init__(self) -> None:
        self._handle: int | None = None

    def take(self, domain: int, namespace: str) -> None:
        """Take the arm of this ROS domain and namespace. Raises RobotFault where it is taken."""
        if self._handle is None:
            name = f"vlarl-arm-{domain}-{namespace.replace('/', '-') or 'root'}.lock"
            has = f"has this one (domain {domain}, namespace {namespace!r}); end it first"
            # Another user's agent, too, is to be told who has the arm.
            self._handle = _held(name, "one agent on an arm", has, 0o666)

    def release(self) -> None:
        """Let go. May be called twice."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def guard_lock(domain: int, topic: str) -> int:
    """Take the lock of the arm behind a target topic; the descriptor keeps it.

    Raises RobotFault while another process has it.
    """
    name = f"vlarl-guard-{domain}{topic.replace('/', '-')}.lock"
    return _held(name, f"one guard for {topic}", "is one already; end it", 0o600)


def _held(name: str, wanted: str, has: str, mode: int) -> int:
    """Open and lock a file. wanted, has: how the refusal goes on, before and after the holder."""
    path = Path(tempfile.gettempdir()) / name
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    except OSError as error:
        raise RobotFault(f"lock file {path} cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise RobotFault(f"{wanted} wanted, process {holder or 'unknown'} {has}") from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor
