"""Whether an episode truly succeeded: as a person typed it, else as its world ended it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.cell import kept
from agent.logbook.damage import Damages
from agent.logbook.episodes_view import EpisodeRow, rows
from agent.logbook.run_view import head

# Robots whose world itself ends an episode when the task is done.
SIMULATED = frozenset({"tabletop", "libero"})

By = Literal["person", "world", ""]


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known of one sealed episode. success: None where nobody knows. by: who says so."""

    id: str
    success: bool | None
    by: By


def truths(folder: Path) -> tuple[Truth, ...]:
    """The truth of every sealed episode of a run, oldest first. Raises UsageError without one."""
    damages = Damages(folder)
    simulated = world_tells(folder, head(folder, damages).robot)
    table = [row for row in rows(folder, damages) if row.status == "sealed"]
    return tuple(truth(row, simulated=simulated) for row in table)


def world_tells(folder: Path, robot: str) -> bool:
    """Whether an ending is the word of a simulator: of its robot, or of a simulated arm's cell."""
    if robot in SIMULATED:
        return True
    cell = kept(folder)
    return cell is not None and cell.simulated


def truth(row: EpisodeRow, *, simulated: bool) -> Truth:
    """A typed label wins; of a real arm, only what a person ended the episode with tells."""
    said = typed(row)
    if said is not None:
        return Truth(row.id, said, "person")
    came = ended(row)
    if simulated:
        return Truth(row.id, came, "" if came is None else "world")
    if row.summary is not None and row.summary.ending == "timeout":
        return Truth(row.id, None, "")
    return Truth(row.id, came, "" if came is None else "person")


def typed(row: EpisodeRow) -> bool | None:
    """What a person typed."""
    return {"success": True, "failure": False}.get(row.label)


def ended(row: EpisodeRow) -> bool | None:
    """What the ending says."""
    ending = "" if row.summary is None else row.summary.ending
    return {"success": True, "timeout": False, "fault": False}.get(ending)
