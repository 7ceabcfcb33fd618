"""Under what a figure was measured: command, commit and machine."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
# What a results file says of itself, besides its figures.
TOLD = ("command", "commit", "machine")


def command(module: str) -> str:
    """The command line of this benchmark, as a person would write it at the checkout's root."""
    told = [each if each and " " not in each else f'"{each}"' for each in sys.argv[1:]]
    return " ".join([f"python -m benchmarks.{module}", *told])


def commit() -> str:
    """The commit of the checkout, with "+" where the code was changed since; "" outside git."""
    try:
        name = _git("rev-parse", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", "agent", "sim")
    except (OSError, subprocess.CalledProcessError):
        return ""
    return name + ("+" if changed else "")


def machine(*packages: str) -> dict[str, str | int]:
    """Cores, processor, Python and the versions of packages."""
    versions = {name: importlib.metadata.version(name) for name in packages}
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "python": platform.python_version(),
        **versions,
    }


def _processor() -> str:
    """The processor's own name where Linux tells it, else its architecture."""
    try:
        told = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.machine()
    names = [line.split(":", 1)[1].strip() for line in told.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


def _git(*arguments: str) -> str:
    done = subprocess.run(  # noqa: S603  our own arguments
        ["git", *arguments],  # noqa: S607  the git of the person who measures
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()
