"""docs/results.md out of results/*.json: `python -m benchmarks.report`, or `make results`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks import sections, setting

RESULTS = setting.ROOT / "results"
PAGE = setting.ROOT / "docs" / "results.md"

HEAD = """# Results

Written by `make results` out of `results/*.json`; edit nothing here. How things are measured, and
what a figure may claim, is in [benchmarks/README.md](../benchmarks/README.md).
"""


def main() -> None:
    """Write the page; nothing on it comes from anywhere but the results."""
    PAGE.write_text(page(RESULTS))
    sys.stdout.write(f"{PAGE.relative_to(setting.ROOT)} written\n")


def page(results: Path) -> str:
    """The whole page: one section a file, by order of their names."""
    parts = [HEAD]
    for file in sorted(results.glob("*.json")):
        found: dict[str, Any] = json.loads(file.read_text())
        parts.append(section(file.stem, found))
    return "\n".join(parts)


def section(name: str, found: dict[str, Any]) -> str:
    """One file's heading, command, machine and tables."""
    write = next(
        (each for start, each in sections.BY_NAME if name.startswith(start)), sections.anything
    )
    body = write({key: value for key, value in found.items() if key not in setting.TOLD})
    command = found.get("command") or f"python -m benchmarks.{name.replace('-', '_')}"
    lines = [
        f"## {sections.TITLES.get(name, name.replace('-', ' ').replace('_', ' ').capitalize())}",
        "",
        f"    {command}",
        "",
        *([f"Measured {_told(found)}.", ""] if _told(found) else []),
        body,
        "",
    ]
    return "\n".join(lines)


def _told(found: dict[str, Any]) -> str:
    """Under what it was measured, as far as the file says."""
    machine = found.get("machine", "")
    if isinstance(machine, dict):
        machine = ", ".join(f"{key} {_short(value)}" for key, value in machine.items())
    commit = found.get("commit", "")
    return ", ".join(filter(None, [f"at commit `{commit[:12]}`" if commit else "", f"{machine}"]))


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
