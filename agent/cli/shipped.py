"""Where the checkpoints lie that come with this package; nothing is loaded for asking."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "policy" / "shipped"
SHIPPED = _FOLDER / "tabletop"


def shipped(robot: str) -> Path:
    """The checkpoint that a robot is tried with where nobody names one."""
    return _FOLDER / "libero" if robot == "libero" else SHIPPED


def checkpoint_of(named: str, robot: str) -> Path:
    """The checkpoint that settings name, or the one shipped for their robot."""
    return Path(named) if named else shipped(robot)
