"""A power cut in the middle of recording: what a disk holds when all that was not synced is gone.

Every file operation of a process is followed. Before each of them the disk that a cut would leave
is known in two forms, and a run on a real disk comes out between them:

    strict   a name lasts from its folder's fsync on, a file's bytes from the file's own
    names    names last at once, as where metadata is journalled first; bytes as above
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from agent import durable

WATCHED = (
    "open", "write", "pwrite", "fsync", "mkdir", "rename", "replace", "unlink", "rmdir",
    "ftruncate", "posix_fallocate",
)  # fmt: skip
FORMS = ("strict", "names")


class PowerCut:
    """Watches one folder, and writes out what a cut would leave before chosen operations.

    Installed once in a forked child, never taken out. Cuts go to `out`/<operation>-<form>.
    """

    def __init__(self, root: Path, out: Path, cuts: Callable[[int], bool]) -> None:
        self.count = 0
        self._root, self._out, self._cuts = root, out, cuts
        self._real = {name: getattr(os, name) for name in WATCHED}
        self._births: dict[int, int] = {}  # inode to how often it was born
        self._bytes: dict[tuple[int, int], bytes] = {}
        self._names: dict[tuple[int, int], dict[str, tuple[tuple[int, int], bool]]] = {}
        self._paths: dict[int, Path] = {}
        self._busy = False
        # Another thread that syncs while a cut is written out would go unseen, and look lost.
        self._in_turn = threading.RLock()

    def install(self) -> None:
        """Watch from now on; all that is in the root by now lasts."""
        self._settle(self._root)
        for name in WATCHED:
            setattr(os, name, self._watched(name, self._real[name]))
        durable.swap_names = self._watched("swap_names", durable.swap_names)

    def _settle(self, folder: Path) -> None:
        number = folder.stat().st_ino
        self._names[(number, 0)] = dict(self._entries(folder))
        for name, (key, is_folder) in self._names[(number, 0)].items():
            if is_folder:
                self._settle(folder / name)
            else:
                self._bytes[key] = (folder / name).read_bytes()

    def _watched(self, name: str, operation: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  whatever it takes
            with self._in_turn:
                if self._busy or (name in {"write", "fsync"} and args[0] not in self._paths):
                    return operation(*args, **kwargs)
                self.count += 1
                if self._cuts(self.count):
                    self._cut()
                fresh = self._is_fresh(name, args)
                done = operation(*args, **kwargs)
                self._note(name, args, done, fresh=fresh)
                return done

        return watched

    @staticmethod
    def _is_fresh(name: str, args: tuple[Any, ...]) -> bool:
        created = name == "open" and len(args) > 1 and bool(args[1] & os.O_CREAT)
        return name == "mkdir" or (created and not Path(args[0]).exists())

    def _note(self, name: str, args: tuple[Any, ...], done: Any, *, fresh: bool) -> None:  # noqa: ANN401
        if name == "open" and isinstance(args[0], str | Path):
            self._paths[done] = Path(args[0])
        if fresh:
            number = os.stat(args[0]).st_ino  # noqa: PTH116  a path or its text
            self._births[number] = self._births.get(number, 0) + 1
        if name == "fsync":
            self._synced(args[0])

    def _synced(self, descriptor: int) -> None:
        path, found = self._paths[descriptor], os.fstat(descriptor)
        key = (found.st_ino, self._births.get(found.st_ino, 0))
        if path.is_dir():
            self._names[key] = dict(self._entries(path))
        else:
            self._bytes[key] = Path(f"/proc/self/fd/{descriptor}").read_bytes()

    def _entries(self, folder: Path) -> Iterator[tuple[str, tuple[tuple[int, int], bool]]]:
        with os.scandir(folder) as entries:
            for each in entries:
                number = each.inode()
                yield each.name, ((number, self._births.get(number, 0)), each.is_dir())

    def _cut(self) -> None:
        self._busy = True  # what is written here is no part of the story
        number = self._root.stat().st_ino
        root = (number, self._births.get(number, 0))
        self._lay_strict(root, self._out / f"{self.count:05d}-strict")
        self._lay_names(self._root, self._out / f"{self.count:05d}-names")
        self._busy = False

    def _lay_strict(self, key: tuple[int, int], target: Path) -> None:
        target.mkdir(parents=True)
        for name, (child, is_folder) in self._names.get(key, {}).items():
            if is_folder:
                self._lay_strict(child, target / name)
            else:
                (target / name).write_bytes(self._bytes.get(child, b""))

    def _lay_names(self, folder: Path, target: Path) -> None:
        target.mkdir(parents=True)
        for name, (key, is_folder) in self._entries(folder):
            if is_folder:
                self._lay_names(folder / name, target / name)
            else:
                (target / name).write_bytes(self._bytes.get(key, b""))
