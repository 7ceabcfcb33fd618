"""Reading views while the robot acts, on a thread of its own that nothing ever waits for."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.episode import Observation
from agent.errors import RewardUnavailable
from agent.reward.judge import read
from agent.reward.reader import Reader
from agent.settings import RewardSettings

log = logging.getLogger(__name__)

WAITING = 2  # views; one that finds no room is read after the episode instead
_JOIN_S = 5.0


@dataclass(frozen=True, slots=True)
class _Look:
    episode: int
    number: int
    first: Observation
    view: Observation


class OnlineReading:
    """An Eye that has every n-th view read, and tells the judge afterwards what is known already.

    dropped: views for which there was no room, in all.
    """

    def __init__(self, reader: Reader, settings: RewardSettings) -> None:
        self._reader, self._settings = reader, settings
        self._views: queue.Queue[_Look | None] = queue.Queue(WAITING)
        self._reading = threading.Lock()
        self._thread: threading.Thread | None = None
        self._known: dict[int, tuple[float, tuple[float, float, float]]] = {}
        self._episode = 0
        self._failed = False
        self._first: Observation | None = None
        self.dropped = 0

    def look(self, number: int, view: Observation) -> None:
        """Hand a view over, if it is one to be read and there is room. Never waits."""
        if number == 0:
            self._begin(view)
        elif number % self._settings.every_views == 0 and self._first is not None:
            try:
                self._views.put_nowait(_Look(self._episode, number, self._first, view))
            except queue.Full:
                self.dropped += 1

    def opinions(self, views: Sequence[Observation]) -> Mapping[int, tuple[float, float, float]]:
        """What was read of these views; what still waits is let go, as the judge reads it itself.

        Waits for a reading under way, so that nobody else uses the reader from here on.
        """
        self._first = None
        self._let_go()
        with self._reading:
            known = dict(self._known)
        return {
            number: values
            for number, (time_s, values) in known.items()
            if number < len(views) and views[number].time_s == time_s
        }

    def close(self) -> None:
        """End the thread, after the reading under way. May be called twice."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._let_go()
        self._views.put(None)
        thread.join(_JOIN_S)

    def _begin(self, view: Observation) -> None:
        self._let_go()
        self._episode += 1
        self._known, self._failed = {}, False
        self._first = view
        if self._thread is None:
            # It must not keep a process alive that is done.
            self._thread = threading.Thread(target=self._work, name="judge", daemon=True)
            self._thread.start()

    def _let_go(self) -> None:
        while True:
            try:
                self._views.get_nowait()
            except queue.Empty:
                return

    def _work(self) -> None:
        import torch

        # Each thread has its own count, and the cores belong to the control loop.
        torch.set_num_threads(1)
        while (look := self._views.get()) is not None:
            with self._reading:
                if look.episode == self._episode and not self._failed:
                    self._read(look)

    def _read(self, look: _Look) -> None:
        try:
            opinion = read(self._reader, [look.first, look.view], self._settings)
        except RewardUnavailable as error:
            # The judge asks again at the end, and says then what becomes of the episode.
            log.info("reading while acting is given up for this episode: %s", error)
            self._failed = True
            return
        rows = list(zip(opinion.success, opinion.progress, opinion.uncertainty, strict=True))
        if look.episode == self._episode:
            self._known[0] = (look.first.time_s, rows[0])
            self._known[look.number] = (look.view.time_s, rows[1])
