"""What watches over a run from episode to episode."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from agent.episode import ScoredEpisode
from agent.errors import UsageError
from agent.protocols import Robot, Watch
from agent.sentinel.watch import Sentinel
from agent.settings import Settings
from agent.store.reader import ZarrReader
from calibration.profile import Profile


def watches_of(
    settings: Settings, folder: Path, robot: Robot, cell: Profile | None
) -> tuple[Watch, ...]:
    """The sentinel of a run folder, unless it is switched off. Raises UsageError."""
    told = settings.sentinel
    if not told.enabled:
        return ()
    given = _first(Path(told.reference), told.reference_episodes) if told.reference else ()
    return (Sentinel(folder, told, robot.card.proprio, given, cell),)


def _first(folder: Path, count: int) -> Iterator[ScoredEpisode]:
    reader = ZarrReader(folder)
    ids = reader.ids()
    if len(ids) < count:
        raise UsageError(
            f"sentinel.reference: a run of {count} episodes or more wanted, {folder} has {len(ids)}"
        )
    return (reader.read(each) for each in islice(ids, count))
