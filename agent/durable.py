"""Writing files so that a death of the process or the machine leaves them whole or absent."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from agent.errors import StorageError

_ADVICE = {
    errno.ENOSPC: "the disk is full; free some space and start again",
    errno.EDQUOT: "the disk quota is used up; free some space and start again",
    errno.EROFS: "the file system is read-only; remount it or choose another run folder",
    errno.EACCES: "this user has no right to; fix the rights or choose another run folder",
    errno.EPERM: "this user has no right to; fix the rights or choose another run folder",
    errno.EINVAL: "this file system cannot do that; use a local one such as ext4, xfs or btrfs",
    errno.EIO: "the disk reports an error; check it, and start again on a sound one",
}


@contextlib.contextmanager
def storage_errors(path: Path, doing: str) -> Iterator[None]:
    """Turn an OSError on the way into a StorageError that names the path and what to do."""
    try:
        yield
    except OSError as error:
        where = error.filename if error.filename is not None else path
        advice = _ADVICE.get(error.errno or 0, "check the disk and start again")
        raise StorageError(
            f"{doing} {where} failed: {error.strerror or error}; {advice}"
        ) from error


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text to a file that is whole or as it was. Raises StorageError."""
    write_bytes(path, text.encode())


def append_line(path: Path, line: str) -> None:
    """Add one line in one write, and sync it. Raises StorageError.

    A line that a death left torn is ended first, so that it spoils no other.
    """
    with storage_errors(path, "writing"):
        fresh = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            size = os.fstat(descriptor).st_size
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            write_all(descriptor, (("\n" if torn else "") + line + "\n").encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if fresh:
            sync_folder(path.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file that is whole or as it was, whatever dies on the way. Raises StorageError.

    The bytes go to `<name>.partial` beside it and are synced before they take the name.
    """
    partial = path.with_name(path.name + ".partial")
    with storage_errors(path, "writing"):
        try:
            write_file(partial, data)
            os.replace(partial, path)  # noqa: PTH105  every file operation here is one call of os
        except OSError:
            with contextlib.suppress(OSError):  # the first error is the one to tell
                partial.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def write_file(path: Path, data: bytes) -> None:
    """Write and sync a file under its final name. Raises OSError; `path` may be left torn."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte, however many calls it takes. Raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_file(path: Path) -> None:
    """Make the bytes of a file that somebody else wrote durable. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder, and durably so; one that is there already is fine. Raises StorageError."""
    with storage_errors(folder, "making folder"):
        if folder.is_dir():
            return
        if not folder.parent.is_dir():
            make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def move_folder(source: Path, target: Path) -> None:
    """Rename a folder within one file system, durably: the commit. Raises StorageError.

    `target` must not exist or be empty.
    """
    with storage_errors(target, "committing"):
        os.rename(source, target)  # noqa: PTH104  every file operation here is one call of os
        sync_folder(target.parent)
        sync_folder(source.parent)


def exchange_folders(one: Path, other: Path) -> None:
    """Let two folders of one file system take each other's name in one step, durably.

    Nobody ever finds either name empty. Raises StorageError, also where the system cannot.
    """
    with storage_errors(other, "exchanging"):
        swap_names(one, other)
        sync_folder(other.parent)
        sync_folder(one.parent)


def swap_names(one: Path, other: Path) -> None:
    """Linux's renameat2 with RENAME_EXCHANGE, which Python does not offer. Raises OSError."""
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    call = ctypes.CDLL(None, use_errno=True).renameat2
    if call(here, os.fsencode(one), here, os.fsencode(other), exchange) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(other))


def publish_folder(staged: Path, final: Path) -> None:
    """Flush every file of a folder to disk, then give it its final name. Raises StorageError."""
    with storage_errors(staged, "flushing"):
        for path in (staged, *sorted(staged.rglob("*"))):
            if path.is_dir():
                sync_folder(path)
            else:
                sync_file(path)
    move_folder(staged, final)


def remove_folder(folder: Path) -> None:
    """Remove a folder and all in it, if it is there. Raises StorageError."""
    with storage_errors(folder, "removing"):
        if folder.is_dir():
            shutil.rmtree(folder)


def require_free(folder: Path, wanted_bytes: int) -> None:
    """Raise StorageError unless the folder's disk has this many bytes free."""
    with storage_errors(folder, "asking for the free space of"):
        free = shutil.disk_usage(folder).free
    if free < wanted_bytes:
        raise StorageError(
            f"{folder} has {free / 2**20:.0f} MiB free, an episode wants "
            f"{wanted_bytes / 2**20:.0f} MiB; free some space and start again"
        )
