"""Which shape of run and episode this program writes, and which it can read."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.errors import DataError

SCHEMA_VERSION = 2
OLDEST = 2  # schema 1 was never released


class NewerSchema(DataError):
    """Sound, but written by a program newer than this one."""


def made_by() -> str:
    """The version of this program."""
    try:
        return importlib.metadata.version("vlarl-agent")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def check_schema(path: Path, values: Mapping[str, Any]) -> None:
    """Raise DataError unless this program can read the file, NewerSchema when a newer one can."""
    found = values.get("schema_version")
    if not isinstance(found, int) or found < OLDEST:
        raise DataError(
            f"{path}: want schema_version {OLDEST} or newer, found {found!r}; "
            "this program cannot read it: use the version that wrote it"
        )
    if found > SCHEMA_VERSION:
        raise NewerSchema(
            f"{path}: made by {values.get('vlarl_version', 'a newer version')} with schema "
            f"{found}, this program reads up to {SCHEMA_VERSION}; upgrade vlarl-agent"
        )
