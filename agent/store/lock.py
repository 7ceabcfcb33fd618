"""One writer a run: a lock file that names its holder and dies with it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from agent.durable import storage_errors, write_all
from agent.errors import StorageError


class WriterLock:
    """The right to write into a run folder, held from `take` to `release`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self) -> None:
        """Become the one writer. Raises StorageError while another living process is.

        The kernel frees the lock of a dead holder. A forked child may keep it alive, so a lock
        whose named holder is dead is set aside and a new one made.
        """
        with storage_errors(self._path, "locking"):
            while self._descriptor is None:
                descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
                if self._locked(descriptor):
                    self._descriptor = descriptor
                else:
                    os.close(descriptor)
            os.ftruncate(self._descriptor, 0)
            write_all(self._descriptor, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let the next writer in. May be called twice."""
        if self._descriptor is not None:
            # Said aloud: a forked child with a copy of the descriptor would keep the lock.
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            os.close(self._descriptor)
            self._descriptor = None

    def is_taken(self) -> bool:
        """Whether a living process writes; asked without becoming the writer."""
        try:
            descriptor = os.open(self._path, os.O_RDWR)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            return not holder.isdigit() or _is_alive(int(holder))
        else:
            return False
        finally:
            os.close(descriptor)  # and with it the lock

    def __enter__(self) -> WriterLock:
        """Take it."""
        self.take()
        return self

    def __exit__(self, *_: object) -> None:
        """Let the next writer in."""
        self.release()

    def _locked(self, descriptor: int) -> bool:
        """Whether the lock is ours now; False asks for another try with a new file."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._set_aside(descriptor)
            return False
        # Another process may have set this file aside between our open and our lock.
        return self._is_current(descriptor)

    def _set_aside(self, descriptor: int) -> None:
        """Unlink a lock whose holder is dead; raise StorageError for a living one."""
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        if not holder.isdigit() or _is_alive(int(holder)):
            raise StorageError(
                f"{self._path.parent} is being written by process {holder or 'unknown'}; "
                "stop it or choose another run folder"
            )
        if self._is_current(descriptor):
            self._path.unlink(missing_ok=True)

    def _is_current(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(self._path.stat(), os.fstat(descriptor))
        except FileNotFoundError:
            return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
