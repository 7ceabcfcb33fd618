"""Writes that are whole or absent after a crash: write aside, flush to disk, rename."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from agent.errors import StorageError

_ADVICE = {
    errno.ENOSPC: "free some space and resume",
    errno.EDQUOT: "free some of your quota and resume",
    errno.EROFS: "the file system is read-only; write elsewhere with --out",
    errno.EACCES: "make the folder writable or write elsewhere with --out",
    errno.EIO: "the disk reports an error; check it, then write elsewhere with --out",
}


@contextlib.contextmanager
def storage(path: Path) -> Iterator[None]:
    """Turn an operating system's refusal to write into a StorageError that names the path."""
    try:
        yield
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, "check the disk and the path")
        raise StorageError(f"cannot write {path}: {error.strerror or error}; {advice}") from error


def write_text(path: Path, text: str) -> None:
    """Replace a small text file in one step."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes) -> None:
    """Replace a small file in one step."""
    partial = path.with_name(path.name + ".partial")
    with storage(path):
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        sync_folder(path.parent)


def publish_folder(staged: Path, final: Path) -> None:
    """Flush every file of a folder to disk, then give it its final name in one step."""
    with storage(final):
        for path in sorted(staged.rglob("*")):
            if path.is_file():
                sync_file(path)
            else:
                sync_folder(path)
        sync_folder(staged)
        staged.rename(final)
        sync_folder(final.parent)


def sync_file(path: Path) -> None:
    """Flush one file to disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Flush a folder's own entries, the names in it, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
