"""What watches over a run from episode to episode."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from agent.episode import ScoredEpisode
from agent.errors import UsageError
from agent.protocols import Robot, Watch
from agent.sentinel.watch import Sentinel
from agent.settings import SentinelSettings, Settings
from agent.store.reader import ZarrReader
from agent.store.run import open_run
from calibration.profile import Profile


def watches_of(
    settings: Settings, folder: Path, robot: Robot, cell: Profile | None
) -> tuple[Watch, ...]:
    """The sentinel of a run folder, unless it is switched off. Raises UsageError."""
    told = settings.sentinel
    if not told.enabled:
        return ()
    must_have_reference(told)
    given = _first(Path(told.reference), told.reference_episodes) if told.reference else ()
    return (Sentinel(folder, told, robot.card.proprio, given, cell),)


def must_have_reference(told: SentinelSettings) -> None:
    """Refuse another run as the reference that cannot be one. Raises UsageError."""
    if not told.enabled or not told.reference:
        return
    folder = Path(told.reference)
    try:
        open_run(folder)
    except UsageError as error:
        raise UsageError(f"sentinel.reference: {error}") from error
    found = len(ZarrReader(folder).ids())
    if found < told.reference_episodes:
        raise UsageError(
            f"sentinel.reference: a run of {told.reference_episodes} episodes or more wanted, "
            f"{folder} has {found}"
        )


def _first(folder: Path, count: int) -> Iterator[ScoredEpisode]:
    reader = ZarrReader(folder)
    return (reader.read(each) for each in islice(reader.ids(), count))
