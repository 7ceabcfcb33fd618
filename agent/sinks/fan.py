"""All sinks of a run behind one call; one that fails is let go with a warning."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from agent.scoring import Tried
from agent.session import Acted, Event, Halted
from agent.settings import RunSettings, Settings
from agent.sinks.figures import episode_row, update_row
from agent.sinks.history import missing, missing_evaluations, recent_of
from agent.sinks.known import make_sink, named
from agent.sinks.row import About, Key, Row, Sink
from agent.sinks.to_jsonl import FILE, JsonLines

log = logging.getLogger(__name__)


@contextmanager
def opened(folder: Path, settings: Settings) -> Iterator[Sinks]:
    """The sinks that a run was told, from where its folder is to wherever it ends."""
    sinks = Sinks(folder, settings.run)
    sinks.open(settings.model_dump(mode="json"))
    try:
        yield sinks
    finally:
        sinks.close()


class Sinks:
    """Turns what a session tells into rows, once each, also over a death and a resume."""

    def __init__(self, folder: Path, run: RunSettings) -> None:
        self._folder = folder
        self._lines = JsonLines()
        self._others = [(name, make_sink(name, run)) for name in named(run)]
        self._living: list[tuple[str, Sink]] = []
        self._known: set[Key] = set()
        self._recent = recent_of(())

    def open(self, settings: Mapping[str, Any]) -> None:
        """Begin, and take up what an interrupted run left out."""
        about = About(self._folder.name, str(self._folder), settings)
        self._living = [(FILE, self._lines), *self._others]
        for name, sink in tuple(self._living):
            self._try(name, sink, "cannot begin", partial(sink.open, about))
        self._known = set(self._lines.known)
        self._recent = recent_of(self._lines.successes)
        try:
            self._give(missing(self._folder, frozenset(self._known)))
        except Exception:  # its figures are no reason to keep a robot from working
            log.warning("figures of what was done before are left out", exc_info=True)

    def take(self, event: Event | Tried) -> None:
        """Give the rows of an event to every sink that still works. Raises nothing."""
        if isinstance(event, Tried | Halted):
            return  # an evaluation counts when it is finished and on disk; a halt has no figure
        try:
            self._give(missing_evaluations(self._folder, frozenset(self._known)))
            if isinstance(event, Acted):
                row = episode_row(event.number + 1, event.scored, tuple(self._recent))
            else:
                row = update_row(event.report)
            self._give([row])
        except Exception:  # as above
            log.warning("figures of an event are left out", exc_info=True)

    def close(self) -> None:
        """Take the last evaluation and let everything arrive. May be called twice."""
        try:
            self._give(missing_evaluations(self._folder, frozenset(self._known)))
        except Exception:  # as above
            log.warning("figures of an evaluation are left out", exc_info=True)
        for name, sink in tuple(self._living):
            self._try(name, sink, "cannot end", sink.close)
        self._living = []

    def _give(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._known.add(row.key)
            if row.kind == "episode":
                self._recent.append(row.metrics["episode/success"])
            for name, sink in tuple(self._living):
                self._try(name, sink, "fails", partial(sink.take, row))

    def _try(self, name: str, sink: Sink, how: str, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:  # whatever a tool raises ends the tool alone
            log.warning("metrics sink %s %s and is left out from here on: %s", name, how, error)
            self._living.remove((name, sink))
