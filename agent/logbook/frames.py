"""Pictures of one episode on demand: a chunk is read at a time, and few are kept."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from agent.episode import Uint8Array
from agent.errors import DataError
from agent.logbook.places import place
from agent.store.record import EpisodeRecord, read_record

VIEWS = 10  # read at a time: a chunk of the store
CHUNKS = 12  # kept, of all cameras together
MOST_BYTES = 64 << 20  # kept, whatever the pictures' size


class Frames:
    """Gives views 0 .. n of an episode's cameras, also of one that is still being acted.

    Not for two threads at once.
    """

    def __init__(self, run: Path, episode: str) -> None:
        """Read the episode's record. Raises UsageError for an unknown id, DataError for damage."""
        self._run, self._episode = run, episode
        self._kept: OrderedDict[tuple[str, int], Uint8Array] = OrderedDict()
        self._open()

    @property
    def cameras(self) -> tuple[str, ...]:
        """The cameras that were recorded."""
        return () if self._layout is None else tuple(self._layout.cameras)

    @property
    def kept_bytes(self) -> int:
        """What is held in memory now."""
        return sum(chunk.nbytes for chunk in self._kept.values())

    def frame(self, camera: str, view: int) -> Uint8Array:
        """One picture, (h, w, 3). Raises DataError where it is damaged or was never taken."""
        if self._record is None and not self._folder.is_dir():
            self._open()  # it was sealed since
        if self._record is None:
            return self._live(camera, view)
        number, within = divmod(view, VIEWS)
        try:
            chunk = self._chunk(self._record, camera, number)
        except DataError:
            # It may have been compacted under our hands: then its record is another one now.
            before = self._record
            self._open()
            if self._record == before:
                raise
            return self.frame(camera, view)
        if view < 0 or within >= len(chunk):
            raise DataError(f"episode {self._episode} has no view {view} of {camera}")
        picture: Uint8Array = chunk[within]
        return picture

    def _open(self) -> None:
        status, self._folder = place(self._run, self._episode)
        self._record: EpisodeRecord | None = None
        if status != "running":
            self._record = read_record(self._folder)
            self._layout = self._record.layout
        else:
            from agent.store.live import live_layout

            self._layout = live_layout(self._folder)

    def _live(self, camera: str, view: int) -> Uint8Array:
        from agent.store.live import live_pictures

        pictures = live_pictures(self._folder, view)
        if camera not in pictures:
            raise DataError(f"episode {self._episode} has no camera {camera[:40]!r}")
        return pictures[camera]

    def _chunk(self, record: EpisodeRecord, camera: str, number: int) -> Uint8Array:
        key = (camera, number)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        from agent.store.columns import read_pictures  # and with it zarr, when pictures are wanted

        start = number * VIEWS
        chunk = read_pictures(self._folder, record, camera, start, start + VIEWS)
        self._kept[key] = chunk
        while len(self._kept) > 1 and (len(self._kept) > CHUNKS or self.kept_bytes > MOST_BYTES):
            self._kept.popitem(last=False)
        return chunk
