"""Reading what is there: a file that cannot be read is named, and the rest goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from agent.errors import VlarlError

T = TypeVar("T")
# What damaged bytes raise on their way through json and our own readers.
DAMAGED = (
    OSError, ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError,
    VlarlError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that cannot be shown. path: within the run folder, "/" between its parts."""

    path: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


class Damages:
    """Collects the damages met while one view is made."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._found: list[Damage] = []

    @property
    def found(self) -> tuple[Damage, ...]:
        """All of them, in the order they were met, each once."""
        return tuple(dict.fromkeys(self._found))

    def add(self, path: Path, what: object) -> None:
        """Note one."""
        said = " ".join(str(what).split())
        self._found.append(Damage(self._within(path), said.removeprefix(f"{path}: ")))

    def read(self, path: Path, reader: Callable[[Path], T]) -> T | None:
        """What `reader` makes of a file; None where it is absent, or damaged, which is noted."""
        try:
            return reader(path)
        except FileNotFoundError:
            return None
        except DAMAGED as error:
            self.add(path, said(error))
            return None

    def json(self, path: Path) -> dict[str, Any]:
        """A JSON object; {} where the file is absent or damaged."""
        return self.read(path, json_object) or {}

    def _within(self, path: Path) -> str:
        return (
            path.relative_to(self._run).as_posix() if path.is_relative_to(self._run) else path.name
        )


def json_object(path: Path) -> dict[str, Any]:
    """Read a JSON object. Raises OSError, and ValueError for anything else."""
    values = json.loads(path.read_text("utf-8"))
    if not isinstance(values, dict):
        raise ValueError(f"want a JSON object, found {type(values).__name__}")
    return values


def said(error: Exception) -> str:
    """An error of damaged bytes in words."""
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return f"torn or altered ({error})"
    if isinstance(error, KeyError):
        return f"lacks {error}"
    return str(error) or type(error).__name__
