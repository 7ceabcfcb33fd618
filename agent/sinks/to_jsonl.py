"""metrics.jsonl in the run folder: one row a line, none torn, none twice."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

from agent import durable
from agent.sinks.row import About, Key, Row

FILE = "metrics.jsonl"


class JsonLines:
    """The one sink that every run has; what it holds already is `known`."""

    def __init__(self) -> None:
        self.known: set[Key] = set()
        self.successes: list[float] = []
        self._path: Path | None = None

    def open(self, about: About) -> None:
        """Read what there is; a last line that a death tore off is taken away."""
        self._path = Path(about.folder) / FILE
        if not self._path.is_file():
            return
        with durable.storage_errors(self._path, "reading"):
            data = self._path.read_bytes()
        whole = b"".join(line for line in data.splitlines(keepends=True) if self._note(line))
        if whole != data:
            durable.write_bytes(self._path, whole)

    def take(self, row: Row) -> None:
        """Add a line and sync it. Raises StorageError."""
        if self._path is None or row.key in self.known:
            return
        line = (json.dumps(_plain(row), allow_nan=False) + "\n").encode()
        with durable.storage_errors(self._path, "writing"):
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                durable.write_all(descriptor, line)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        self._note(line)

    def close(self) -> None:
        """Nothing is held open."""

    def _note(self, line: bytes) -> bool:
        """Remember a line; False for one that is torn or there already."""
        try:
            row: dict[str, Any] = json.loads(line)
            key = (str(row["kind"]), str(row["name"]))
            won = row["metrics"].get("episode/success")
        except (ValueError, KeyError, TypeError, AttributeError):
            return False
        if key in self.known or not line.endswith(b"\n"):
            return False
        self.known.add(key)
        if won is not None:
            self.successes.append(float(won))
        return True


def _plain(row: Row) -> dict[str, Any]:
    metrics = {name: value if math.isfinite(value) else None for name, value in row.metrics.items()}
    plain: dict[str, Any] = {"kind": row.kind, "number": row.number, "name": row.name}
    plain |= {"labels": dict(row.labels), "metrics": metrics}
    return plain | ({"limits": dict(row.limits)} if row.limits else {})
