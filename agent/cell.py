"""The robot cell's profile beside a run: saved at its start, and held to when it goes on."""

from __future__ import annotations

import json
from pathlib import Path

from agent import durable
from agent.errors import DataError, UsageError
from agent.settings import RobotSettings
from calibration.complaints import ProfileError
from calibration.profile import Profile, from_dict, load

CELL = "cell.json"


def cell_of(settings: RobotSettings) -> Profile | None:
    """Read the profile that the settings name; None where they name none.

    Raises UsageError on one line that names file, key, wanted and found.
    """
    if not settings.profile:
        return None
    try:
        return load(settings.profile)
    except ProfileError as error:
        raise UsageError(str(error)) from error


def marks(cell: Profile | None) -> dict[str, str]:
    """What an episode says of the cell it was played in."""
    return {} if cell is None else {"profile": cell.name, "profile_sha256": cell.sha256}


def keep(folder: Path, cell: Profile | None) -> None:
    """Write the profile into a run or adapter folder. Raises StorageError."""
    if cell is not None:
        told = {"sha256": cell.sha256, "profile": cell.to_dict()}
        durable.write_text(folder / CELL, json.dumps(told, indent=1) + "\n")


def kept(folder: Path) -> Profile | None:
    """Read the profile that a folder was made with; None for none. Raises DataError if torn."""
    path = folder / CELL
    if not path.exists():
        return None
    try:
        return from_dict(json.loads(path.read_text())["profile"], str(path))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path} cannot be read: {error}; restore it") from error


def hold_to(folder: Path, cell: Profile | None) -> None:
    """Refuse another profile than the run began with.

    Raises UsageError naming each key that differs, DataError for a torn record.
    """
    began = kept(folder)
    if began is None:
        if cell is not None:
            raise UsageError(f"{folder} was begun without a robot profile, found {cell.name!r}")
        return
    if cell is None:
        raise UsageError(f"{folder} was begun with robot profile {began.name!r}, found none now")
    if cell.sha256 != began.sha256:
        raise UsageError(
            f"robot profile {cell.name!r} is not the one that {folder} began with: "
            f"{'; '.join(_differences(began, cell))}; restore it, or begin a new run"
        )


def _differences(was: Profile, now: Profile) -> list[str]:
    old, new = _flat("", was.to_dict()), _flat("", now.to_dict())
    return [
        f"{key} was {old.get(key)!r}, is {new.get(key)!r}"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]


def _flat(key: str, value: object) -> dict[str, object]:
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        # A camera is told by its name, so that not all of them are said to differ.
        value = {str(each.get("name", number)): each for number, each in enumerate(value)}
    if isinstance(value, dict):
        inside = {f"{key}.{name}" if key else name: each for name, each in value.items()}
        return {k: v for name, each in inside.items() for k, v in _flat(name, each).items()}
    return {key: value}
