"""Read-only access to a run's episodes, also while another process writes them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.episode import Episode, RewardSignal, ScoredEpisode, Task, Verdict
from agent.errors import DataError, UsageError
from agent.store.folders import Folders
from agent.store.manifest import read_manifest
from agent.store.names import check_id, ids_in
from agent.store.prune import pruned_ids
from agent.store.quarantine import SetAside, quarantined
from agent.store.record import DATA, EpisodeRecord, read_record
from agent.store.steplog import ending_named
from agent.store.summary import Summary
from agent.store.verify import Finding, check_files, verify_episode

log = logging.getLogger(__name__)


class ZarrReader:
    """The sealed episodes of one run folder. Holds no lock and no open file."""

    def __init__(self, run_folder: Path) -> None:
        self._folders = Folders(run_folder)

    def ids(self) -> tuple[str, ...]:
        """Ids of all sealed episodes, oldest first; interrupted ones are left out."""
        return ids_in(self._folders.episodes)

    def summaries(self) -> tuple[Summary, ...]:
        """One row a sealed episode, oldest first; one whose record is damaged is left out."""
        listed = read_manifest(self._folders)
        return self._rows(self._folders.episodes, listed)

    def interrupted(self) -> tuple[Summary, ...]:
        """One row an interrupted episode, oldest first."""
        return self._rows(self._folders.interrupted, {})

    def quarantined(self) -> tuple[SetAside, ...]:
        """Every episode set aside because it was damaged, oldest first, with the reason."""
        return quarantined(self._folders)

    def record(self, episode_id: str) -> EpisodeRecord:
        """What episode.json says of a sealed or interrupted episode.

        Raises UsageError for a malformed or unknown id, DataError for a damaged or newer record.
        """
        return read_record(self._find(episode_id))

    def read(self, episode_id: str) -> ScoredEpisode:
        """Read one sealed episode back, exact to the bit.

        Every file is checked against its hash first. Raises UsageError for a malformed or unknown
        id, DataError naming episode, array and chunk for damage, and for an interrupted one.
        """
        folder = self._find(episode_id)
        while True:
            record = read_record(folder)
            try:
                return _read(folder, record)
            except DataError:
                # It may have been compacted under our hands: then its record is another one now.
                if read_record(folder) == record:
                    raise

    def verify(self, episode_id: str | None = None) -> tuple[Finding, ...]:
        """All damage to one sealed episode, or to any; nothing where all is sound.

        Raises UsageError for a malformed or unknown id.
        """
        if episode_id is not None:
            return verify_episode(self._find(episode_id))
        folders = [self._folders.episodes / name for name in self.ids()]
        gone = set(read_manifest(self._folders)) - set(self.ids())
        missing = sorted(gone - pruned_ids(self._folders)) if gone else []
        lost = [
            Finding(name, "", "", "in the manifest, but its folder is gone") for name in missing
        ]
        return (*(found for folder in folders for found in verify_episode(folder)), *lost)

    def _find(self, episode_id: str) -> Path:
        check_id(episode_id)
        for parent in (self._folders.episodes, self._folders.interrupted):
            if (parent / episode_id).is_dir():
                return parent / episode_id
        raise UsageError(
            f"{self._folders.run} has no episode {episode_id}; `vlarl-agent episodes ls` lists them"
        )

    def _rows(self, parent: Path, listed: Mapping[str, Summary]) -> tuple[Summary, ...]:
        rows = []
        for name in ids_in(parent):
            row = listed.get(name)
            try:
                rows.append(read_record(parent / name).summary if row is None else row)
            except DataError as error:
                log.warning("%s", error)
        return tuple(rows)


def _read(folder: Path, record: EpisodeRecord) -> ScoredEpisode:
    name = folder.name
    if record.status != "complete" or record.layout is None:
        raise DataError(
            f"episode {name} was interrupted ({record.summary.why}); "
            "want a sealed one, as `vlarl-agent episodes ls` lists"
        )
    for finding in check_files(folder, record):
        raise DataError(f"{finding}; set it aside with: vlarl-agent episodes fsck RUN")
    try:
        return _decode(folder, record)
    except DataError as error:
        raise DataError(f"episode {name}: {error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"episode {name}: its record is not one of ours: {error!r}") from error


def _decode(folder: Path, record: EpisodeRecord) -> ScoredEpisode:
    from agent.store.arrays import decode_group

    facts: Mapping[str, Any] = record.attributes
    if record.layout is None:
        raise DataError("want arrays, found none")
    adapter = str(facts["adapter"])
    steps, last, judged = decode_group(folder / DATA, record.layout, adapter)
    episode = Episode(
        id=folder.name,
        task=Task(**facts["task"]),
        adapter=adapter,
        temperature=float(facts["temperature"]),
        steps=steps,
        last=last,
        ending=ending_named(facts["ending"]["reason"]),
    )
    signal = RewardSignal(
        success_probability=float(facts["success_probability"]),
        verdict=Verdict(facts["verdict"]),
        source=str(facts["source"]),
        **judged,
    )
    return ScoredEpisode(episode, signal)
