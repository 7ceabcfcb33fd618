"""Parsed files, kept while they stay as they are: following a long run reads only what is new."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
MOST = 4096  # files

_lock = threading.Lock()
_files: OrderedDict[tuple[object, ...], Any] = OrderedDict()


def kept(path: Path, reader: Callable[[Path], T]) -> T:
    """What `reader` makes of a file, once for each state of it. Raises OSError and what it raises.

    Only for files that are replaced or appended to, as all of a run folder are.
    """
    now = path.stat()
    # The first of these is the reader, so two readings of one file are two things.
    key = (reader, str(path), now.st_ino, now.st_size, now.st_mtime_ns)
    with _lock:
        if key in _files:
            _files.move_to_end(key)
            found: T = _files[key]
            return found
    made = reader(path)
    with _lock:
        _files[key] = made
        while len(_files) > MOST:
            _files.popitem(last=False)
    return made
