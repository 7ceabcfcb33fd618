"""How long the processes of a run have worked on it: a line each in spent.jsonl, at its end."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from agent.durable import append_line
from agent.errors import StorageError

log = logging.getLogger(__name__)

FILE = "spent.jsonl"


def before_s(folder: Path) -> float:
    """Seconds of all earlier processes; what was killed outright left no line and is left out."""
    try:
        lines = (folder / FILE).read_text("utf-8", "replace").splitlines()
    except OSError:
        return 0.0
    return sum(map(_seconds, lines))


def note(folder: Path, seconds: float) -> None:
    """Add this process. A disk that cannot keep it is no reason to end otherwise."""
    try:
        append_line(folder / FILE, json.dumps({"seconds": round(seconds, 3)}))
    except StorageError as error:
        log.warning("the time that was spent is not kept: %s", error)


def _seconds(line: str) -> float:
    try:
        return float(json.loads(line)["seconds"])
    except (ValueError, KeyError, TypeError):
        return 0.0
