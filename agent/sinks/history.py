"""The rows that a run folder stands for, whoever wrote it and whenever."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Collection, Iterator
from pathlib import Path

from agent.errors import DataError
from agent.learn.ledger import reports
from agent.scoring import read_trials
from agent.sinks.figures import episode_row, evaluation_row, update_row
from agent.sinks.names import RECENT
from agent.sinks.row import Key, Row
from agent.store.reader import ZarrReader

log = logging.getLogger(__name__)

PHASES = ("before", "after")


def missing(folder: Path, known: Collection[Key]) -> Iterator[Row]:
    """Rows of everything in the folder that is not known yet, one episode in memory at a time."""
    yield from missing_evaluations(folder, known)
    reader, recent = ZarrReader(folder), recent_of(())
    won = {row.id: float(row.verdict == "success") for row in reader.summaries()}
    for number, episode_id in enumerate(reader.ids(), 1):
        before = tuple(recent)
        recent.append(won.get(episode_id, 0.0))
        if ("episode", episode_id) in known:
            continue
        try:
            yield episode_row(number, reader.read(episode_id), before)
        except DataError as error:
            log.warning("no figures of episode %s: %s", episode_id, error)
    for report in reports(folder):
        row = update_row(report)
        if row.key not in known:
            yield row


def missing_evaluations(folder: Path, known: Collection[Key]) -> Iterator[Row]:
    """Rows of the finished evaluations that are not known yet."""
    for number, phase in enumerate(PHASES, 1):
        for path in sorted((folder / "evaluations").glob(f"{phase}-*.json")):
            if ("evaluation", path.stem) not in known:
                yield evaluation_row(number, path.stem, read_trials(path))


def recent_of(successes: Collection[float]) -> deque[float]:
    """What a moving success rate looks back on: the episode at hand makes it whole."""
    return deque(successes, maxlen=RECENT - 1)
