"""Names that become paths: episode ids and cameras, refused unless they are plain."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from agent.durable import storage_errors
from agent.errors import UsageError

_ID = re.compile(r"[0-9]{6,12}")
_CAMERA = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


def is_id(name: str) -> bool:
    """Whether this is how an episode is called: 000001 and on."""
    return _ID.fullmatch(name) is not None and name.isascii()


def check_id(name: str) -> str:
    """Give back a plain episode id; raise UsageError for anything else."""
    if not is_id(name):
        raise UsageError(
            f"an episode id is six digits or more, like 000001, found {name[:40]!r}; "
            "`vlarl-agent episodes ls` lists them"
        )
    return name


def check_camera(name: str) -> str:
    """Give back a camera name fit for a path; raise UsageError for anything else."""
    if _CAMERA.fullmatch(name) is None:
        raise UsageError(
            f"a camera name has at most 64 letters, digits and _ . -, found {name[:40]!r}; "
            "rename the camera"
        )
    return name


def ids_in(folder: Path) -> tuple[str, ...]:
    """Episode ids that have a folder here, oldest first; none where the folder is absent.

    Raises StorageError where it may not be looked into.
    """
    with storage_errors(folder, "reading"):
        if not folder.is_dir():
            return ()
        with os.scandir(folder) as entries:  # which knows folders from files without asking of each
            return by_age(entry.name for entry in entries if is_id(entry.name) and entry.is_dir())


def by_age(ids: Iterable[str]) -> tuple[str, ...]:
    """Ids in the order they were given."""
    return tuple(sorted(ids, key=int))


def id_after(taken: Iterable[str]) -> str:
    """The id after the highest one taken."""
    return f"{max((int(name) for name in taken), default=0) + 1:06d}"
