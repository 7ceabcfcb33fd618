"""The episode store: one writer a run, recovered at every start."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from agent.durable import make_folder, move_folder, require_free
from agent.episode import Gone, ScoredEpisode, Task, Verdict
from agent.errors import UsageError
from agent.store.folders import Folders
from agent.store.lock import WriterLock
from agent.store.manifest import append_manifest, mend_manifest, read_manifest
from agent.store.names import id_after, ids_in
from agent.store.opening import Opening
from agent.store.prune import pruned_ids, pruned_rows
from agent.store.reader import ZarrReader
from agent.store.record import read_record
from agent.store.recording import ZarrRecording
from agent.store.recovery import recover
from agent.store.run import RUN, open_run
from agent.store.summary import Summary

VERDICTS = frozenset(Verdict)
FREE_BYTES = 256 << 20  # wanted before an episode begins


class ZarrStore:
    """An agent.protocols.EpisodeStore in a run folder. Call `open` before anything else."""

    def __init__(
        self,
        run_folder: Path,
        free_bytes: int = FREE_BYTES,
        codecs: Mapping[str, str] | None = None,
    ) -> None:
        """codecs: how pictures are packed, by camera; see agent/store/packing.py."""
        self._folders = Folders(run_folder)
        self._free_bytes = free_bytes
        self._codecs = dict(codecs or {})
        self._lock = WriterLock(self._folders.lock)
        self._reader = ZarrReader(run_folder)
        self._recordings: dict[str, ZarrRecording] = {}
        self._last_id = 0
        self._open = False

    def open(self) -> None:
        """Become the run's one writer and recover what the last one left.

        Raises StorageError while another process writes, or when the disk is full or broken;
        DataError when a newer program made the run.
        """
        if self._open:
            return
        if (self._folders.run / RUN).exists():
            open_run(self._folders.run)
        for folder in (self._folders.staging, self._folders.episodes, self._folders.interrupted):
            make_folder(folder)
        self._lock.take()
        try:
            listed = read_manifest(self._folders)
            recover(self._folders)
            mend_manifest(self._folders)
            self._last_id = int(id_after([*self._taken(), *listed, *pruned_ids(self._folders)])) - 1
        except BaseException:
            self._lock.release()
            raise
        self._open = True

    def begin(
        self,
        task: Task,
        adapter: str,
        temperature: float,
        *,
        extra: Mapping[str, str | int | float] | None = None,
    ) -> ZarrRecording:
        """Start writing an episode under the next free id, which is never given again.

        extra: kept with the episode; "use" says what it is for and shows in listings.
        Raises StorageError when the disk has too little room.
        """
        self._must_be_open()
        require_free(self._folders.run, self._free_bytes)
        episode_id = self.next_id()
        opening = Opening.now(episode_id, task, adapter, temperature, extra or {})
        recording = ZarrRecording(self._folders, opening, self._codecs, self._forget)
        self._last_id += 1
        recording.open()
        self._recordings[episode_id] = recording
        return recording

    def next_id(self) -> str:
        """The id that the next episode will get."""
        return f"{self._last_id + 1:06d}"

    def adopt(self, folder: Path) -> None:
        """Commit a sound, synced episode that was made elsewhere and says that its id is the next.

        folder: on the run's own disk; it is moved. Raises UsageError for another id.
        """
        self._must_be_open()
        row = read_record(folder).summary
        if row.id != self.next_id():
            raise UsageError(f"want an episode that is called {self.next_id()}, found {row.id}")
        self._last_id += 1
        move_folder(folder, self._folders.episodes / row.id)
        append_manifest(self._folders, row)

    def ids(self) -> tuple[str, ...]:
        """Ids of all sealed episodes, oldest first; interrupted ones are left out."""
        return self._reader.ids()

    def gone(self) -> tuple[Gone, ...]:
        """Sealed episodes that were pruned, by id; those a death has left in place are not."""
        there = frozenset(self._taken())
        rows = {row.id: row for row in pruned_rows(self._folders) if row.id not in there}
        return tuple(
            Gone(row.id, row.task, row.start, row.adapter, Verdict(row.verdict))
            for _, row in sorted(rows.items(), key=lambda each: int(each[0]))
            if row.verdict in VERDICTS
        )

    def summaries(self) -> tuple[Summary, ...]:
        """One row a sealed episode, oldest first."""
        return self._reader.summaries()

    def read(self, episode_id: str) -> ScoredEpisode:
        """Read one sealed episode back. Raises DataError naming the damage."""
        return self._reader.read(episode_id)

    def close(self) -> None:
        """Save unsealed recordings as interrupted, let the next writer in. May be called twice."""
        try:
            for recording in list(self._recordings.values()):
                recording.abandon("the store was closed")
        finally:
            self._open = False
            self._lock.release()

    def _taken(self) -> list[str]:
        folders = self._folders
        parents = (folders.staging, folders.episodes, folders.interrupted, folders.quarantine)
        return [name for parent in parents for name in ids_in(parent)]

    def _must_be_open(self) -> None:
        if not self._open:
            raise UsageError("the store is not open; call open() first")

    def _forget(self, episode_id: str) -> None:
        self._recordings.pop(episode_id, None)
