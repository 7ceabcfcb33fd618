"""The run that is exported: its settings, and what its robot says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from agent.errors import DataError, UsageError, VlarlError
from agent.registry import make_robot
from agent.settings import RobotSettings
from agent.store.run import Run, open_run


@dataclass(frozen=True, slots=True)
class Source:
    """One run. robot: its name. proprio: names of its numbers, () where nobody can say."""

    folder: Path
    run: Run
    robot: str
    control_hz: float
    proprio: tuple[str, ...]


def open_source(folder: Path, control_hz: float | None = None) -> Source:
    """Read run.json and ask the robot for its control rate, unless that is given.

    Raises UsageError where there is no run, or its robot cannot be asked here.
    """
    if control_hz is not None and not 0 < control_hz <= 1000:
        raise UsageError(f"--fps: want above 0 and at most 1000, found {control_hz}")
    run = open_run(folder)
    try:
        settings = RobotSettings.model_validate(run.settings["robot"])
    except (KeyError, ValidationError) as error:
        raise DataError(
            f"{folder}: run.json names no robot that this program knows: {error}"
        ) from error
    try:
        card = make_robot(settings).card
    except (VlarlError, ImportError) as error:
        if control_hz is None:
            raise UsageError(
                f"robot {settings.name!r} cannot say its control rate here ({error}); "
                "give it as --fps"
            ) from error
        return Source(folder, run, settings.name, control_hz, ())
    return Source(folder, run, card.name, control_hz or card.control_hz, card.proprio)
