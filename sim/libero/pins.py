"""Which task files of hf-libero are trusted: a BDDL file is a program, so only known bytes run.

`python -m sim.libero.pins > sim/libero/pins.json` writes the list anew from the installed package.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import re
import sys
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from agent.errors import DataError, UsageError

SUITES = ("libero_spatial", "libero_object", "libero_goal", "libero_10", "libero_90")


@dataclass(frozen=True, slots=True)
class Pin:
    """One task of a suite: its file stem, instruction, and the sha256 of its two files."""

    suite: str
    name: str
    instruction: str
    bddl_sha256: str
    starts_sha256: str

    def bddl(self) -> Path:
        """Give the task file once its bytes are the pinned ones. Raises DataError otherwise."""
        path = package_root() / "bddl_files" / self.suite / f"{self.name}.bddl"
        accept(path, self.bddl_sha256)
        return path

    def starts(self) -> bytes:
        """Read the start states' file. Raises DataError if its bytes are not the pinned ones."""
        path = package_root() / "init_files" / self.suite / f"{self.name}.pruned_init"
        return accept(path, self.starts_sha256)


@cache
def read_pins() -> tuple[Pin, ...]:
    """Every task of every suite, in LIBERO's own order; nothing of LIBERO is needed."""
    rows = json.loads(Path(__file__).with_name("pins.json").read_text())
    return tuple(Pin(**row) for row in rows)


def accept(path: Path, sha256: str) -> bytes:
    """Read a file if its bytes are the ones pinned. Raises DataError otherwise."""
    try:
        found = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}; reinstall hf-libero==0.1.4") from error
    digest = hashlib.sha256(found).hexdigest()
    if digest != sha256:
        raise DataError(
            f"{path.name} is not the pinned file: wanted sha256 {sha256[:12]}, found {digest[:12]};"
            " reinstall hf-libero==0.1.4"
        )
    return found


def package_root() -> Path:
    """Folder of hf-libero's data, found without importing it. Raises UsageError where absent."""
    spec = importlib.util.find_spec("libero")
    if spec is None or not spec.submodule_search_locations:
        raise UsageError("LIBERO is not installed: see docs/libero.md for the two pip lines")
    return Path(spec.submodule_search_locations[0]) / "libero"


def _make_pins() -> list[dict[str, str]]:
    root = package_root()
    task_map = _literal(root / "benchmark" / "libero_suite_task_map.py", "libero_task_map")
    return [asdict(_pin(root, suite, name)) for suite in SUITES for name in task_map[suite]]


def _pin(root: Path, suite: str, name: str) -> Pin:
    bddl = root / "bddl_files" / suite / f"{name}.bddl"
    starts = root / "init_files" / suite / f"{name}.pruned_init"
    # LIBERO-100 names carry their scene; the instruction is what follows, as in LIBERO itself.
    instruction = re.sub(r"^[A-Z0-9_]*SCENE\d+_", "", name).replace("_", " ")
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (bddl, starts)]
    return Pin(suite, name, instruction, *digests)


def _literal(path: Path, name: str) -> dict[str, list[str]]:
    # Importing libero.libero.benchmark would import torch; its task map is a plain literal.
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            found: dict[str, list[str]] = ast.literal_eval(node.value)
            return found
    raise DataError(f"{path} holds no {name}; is this hf-libero==0.1.4?")


if __name__ == "__main__":
    json.dump(_make_pins(), sys.stdout, indent=1)
    sys.stdout.write("\n")
