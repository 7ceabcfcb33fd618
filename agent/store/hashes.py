"""What a file must be, to tell a sound one from a damaged one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileHash:
    """A file's size in bytes and the hex sha256 of its content."""

    size: int
    sha256: str

    @classmethod
    def of(cls, data: bytes) -> FileHash:
        """The hash of a file with this content."""
        return cls(len(data), hashlib.sha256(data).hexdigest())
