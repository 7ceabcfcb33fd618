"""One guard an arm on one host: a file that the kernel unlocks when its holder dies."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

from agent.errors import RobotFault


def lock(domain: int, topic: str) -> int:
    """Take the lock of the arm behind a target topic; the descriptor keeps it.

    Raises RobotFault while another process has it.
    """
    name = f"vlarl-guard-{domain}{topic.replace('/', '-')}.lock"
    path = Path(tempfile.gettempdir()) / name
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise RobotFault(f"lock file {path} cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise RobotFault(
            f"one guard for {topic} wanted, process {holder or 'unknown'} is one already; end it"
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor
