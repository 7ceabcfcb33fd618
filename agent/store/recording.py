"""One episode being written: every step at once into log and ring, its chunks behind it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from agent.durable import make_folder, move_folder
from agent.episode import Ending, Episode, Observation, RewardSignal, Step
from agent.errors import StorageError, UsageError
from agent.store.commit import Whole, write_episode
from agent.store.folders import LOG, RING, Folders
from agent.store.frames import FrameWriter
from agent.store.layout import JUDGED, OPTIONAL, Layout
from agent.store.manifest import append_manifest
from agent.store.opening import Opening
from agent.store.record import DATA
from agent.store.recovery import clear_scraps, salvage
from agent.store.ring import FrameRing
from agent.store.steplog import StepLog

log = logging.getLogger(__name__)


class ZarrRecording:
    """An agent.protocols.Recording. Order: append..., finish, seal; or abandon at any point."""

    def __init__(
        self,
        folders: Folders,
        opening: Opening,
        codecs: Mapping[str, str],
        done: Callable[[str], None],
    ) -> None:
        self._folders = folders
        self._codecs = codecs
        self._opening = opening
        self._done = done
        self._folder: Path = folders.staging / opening.id
        self._log = StepLog(self._folder / LOG)
        self._layout: Layout | None = None
        self._ring: FrameRing | None = None
        self._writer: FrameWriter | None = None
        self._steps: list[Step] = []
        self._episode: Episode | None = None
        self._closed = ""  # sealed or abandoned
        self._torn = False

    @property
    def id(self) -> str:
        """The episode's id."""
        return self._opening.id

    @property
    def waits(self) -> int:
        """How often `append` stood still for a slow disk."""
        return 0 if self._writer is None else self._writer.waits

    @property
    def waited_s(self) -> float:
        """How long `append` stood still for a slow disk, in all."""
        return 0.0 if self._writer is None else self._writer.waited_s

    def open(self) -> None:
        """Make the staging folder and start the log. Raises StorageError."""
        make_folder(self._folder)
        self._log.open(self._opening.to_json())

    def append(self, step: Step) -> None:
        """Keep a step; when this returns it survives the death of this process.

        A disk that falls behind by a whole ring makes this wait; nothing is dropped.
        Raises UsageError for a step unlike the first or by another adapter, StorageError when
        the disk cannot keep it.
        """
        self._must_record()
        if step.decision.adapter != self._opening.adapter:
            raise UsageError(
                f"episode {self.id} is by adapter {self._opening.adapter!r}, "
                f"found a decision by {step.decision.adapter!r}"
            )
        layout = self._laid_out(step.observation, step)
        layout.check_step(step)
        with self._whole_or_torn():
            self._log.step(step, self._keep(step.observation))
            self._steps.append(step)

    def finish(self, last: Observation, ending: Ending) -> Episode:
        """Keep the last view and ending, and give the whole episode back."""
        self._must_record()
        layout = self._laid_out(last, None)
        layout.check_view(last)
        with self._whole_or_torn():
            self._log.end(last, ending, self._keep(last, ended=True))
        opening = self._opening
        self._episode = Episode(
            id=opening.id,
            task=opening.task,
            adapter=opening.adapter,
            temperature=opening.temperature,
            steps=tuple(self._steps),
            last=last,
            ending=ending,
        )
        return self._episode

    def seal(self, signal: RewardSignal) -> None:
        """Commit the finished episode with its judgement, whole, in one atomic step.

        Raises UsageError before `finish` or for a judgement of another length, StorageError when
        the disk cannot keep it: it may then be tried again, or is saved as interrupted later.
        """
        self._must_be_open()
        if self._episode is None or self._writer is None:
            raise UsageError(f"episode {self.id} must be finished before it is sealed")
        views = len(self._steps) + 1
        for name in JUDGED:
            values = np.asarray(getattr(signal, name))
            said = values.size or name not in OPTIONAL
            if said and (values.shape != (views,) or values.dtype != np.float32):
                raise UsageError(
                    f"want {name} ({views},) float32 for episode {self.id}, "
                    f"found {values.shape} {values.dtype}"
                )
        self._writer.close()
        ending, last = self._episode.ending, self._episode.last
        whole = Whole(self._opening, self._layout, self._steps, last, ending, signal)
        row = write_episode(self._folder, whole, self._writer.files)
        move_folder(self._folder, self._folders.episodes / self.id)
        self._close("sealed")
        try:
            clear_scraps(self._folders.episodes / self.id)
            append_manifest(self._folders, row)
        except StorageError as error:
            # The episode is committed; the next start clears and lists it.
            log.warning("episode %s is sealed, but: %s", self.id, error)

    def abandon(self, why: str) -> None:
        """Commit what there is as interrupted: kept, never learned from.

        Raises StorageError when the disk cannot keep it; the next start then tries again.
        """
        self._must_be_open()
        self._close("abandoned")
        salvage(self._folders, self.id, why or "abandoned")

    def _keep(self, view: Observation, *, ended: bool = False) -> int:
        """Bring a view's images into the ring and on their way to a chunk; returns their crc32."""
        if self._ring is None or self._writer is None:
            raise ValueError("the recording is not laid out")
        index = len(self._steps)
        self._writer.wait_for_room(index)
        crc = self._ring.put(index, view)
        self._writer.put(view)
        if ended:
            self._writer.end()
        return crc

    def _laid_out(self, view: Observation, step: Step | None) -> Layout:
        """The episode's layout; the first view sets it and opens ring and chunks."""
        if self._layout is None:
            layout = Layout.of(view, step, self._codecs)
            layout.check_view(view)
            if step is not None:
                layout.check_step(step)
            with self._whole_or_torn():
                self._log.layout(layout)
                self._ring = FrameRing(self._folder / RING, layout)
                self._ring.open()
                self._writer = FrameWriter(self._folder / DATA, layout, self._log.sync)
                self._writer.start()
            self._layout = layout
        return self._layout

    def _must_be_open(self) -> None:
        if self._closed:
            raise UsageError(f"episode {self.id} is {self._closed} already")

    def _must_record(self) -> None:
        self._must_be_open()
        if self._episode is not None:
            raise UsageError(f"episode {self.id} is finished; seal or abandon it")
        if self._torn:
            raise StorageError(f"episode {self.id} broke off at an earlier error; abandon it")

    @contextlib.contextmanager
    def _whole_or_torn(self) -> Iterator[None]:
        """Take no more steps after a half-kept one: its images and its record would part ways."""
        self._torn = True
        yield
        self._torn = False

    def _close(self, how: str) -> None:
        self._closed = how
        if self._writer is not None:
            try:
                self._writer.close()
            except StorageError as error:
                log.warning("episode %s: not all images are in chunks: %s", self.id, error)
        if self._ring is not None:
            self._ring.close()
        self._log.close()
        self._done(self.id)
