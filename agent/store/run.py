"""run.json: which program made a run, when, and with which settings from where."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.durable import make_folder, storage_errors, write_text
from agent.errors import DataError, UsageError
from agent.store.schema import SCHEMA_VERSION, check_schema, made_by

RUN = "run.json"


@dataclass(frozen=True, slots=True)
class Run:
    """One run. created: UTC, ISO 8601. origins: dotted setting to where its value came from."""

    schema_version: int
    created: str
    vlarl_version: str
    settings: Mapping[str, Any]
    origins: Mapping[str, str]


def create_run(folder: Path, settings: Mapping[str, Any], origins: Mapping[str, str]) -> Run:
    """Make a run folder with its run.json, and durably so.

    settings: plain JSON, as pydantic's `model_dump(mode="json")` gives.
    Raises UsageError where there is a run already, StorageError when the disk cannot keep it.
    """
    if (folder / RUN).exists():
        raise UsageError(f"{folder} holds a run already; resume it or choose another folder")
    created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    run = Run(SCHEMA_VERSION, created, made_by(), dict(settings), dict(origins))
    make_folder(folder)
    values = {
        "schema_version": run.schema_version,
        "created": run.created,
        "vlarl_version": run.vlarl_version,
        "settings": run.settings,
        "origins": run.origins,
    }
    write_text(folder / RUN, json.dumps(values, indent=1, allow_nan=False) + "\n")
    return run


def new_folder(parent: Path, name: str) -> Path:
    """A folder for a new run that is not there yet: name, time of day and, if needed, a number."""
    stamp = datetime.datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "run"
    folder = parent / f"{plain}-{stamp}"
    number = 2
    while folder.exists():
        folder = parent / f"{plain}-{stamp}-{number}"
        number += 1
    return folder


def open_run(folder: Path) -> Run:
    """Read run.json. Raises UsageError where there is no run, DataError for a torn or newer one."""
    path = folder / RUN
    if not path.is_file():
        raise UsageError(f"{folder} holds no run (want {RUN} in it); check the path")
    try:
        with storage_errors(path, "reading"):
            values = json.loads(path.read_text("utf-8"))
        if not isinstance(values, dict):
            raise TypeError("not a JSON object")
        check_schema(path, values)
        return Run(
            schema_version=values["schema_version"],
            created=str(values["created"]),
            vlarl_version=str(values["vlarl_version"]),
            settings=dict(values["settings"]),
            origins=dict(values["origins"]),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path}: torn or altered ({error}); the run cannot be used") from error
