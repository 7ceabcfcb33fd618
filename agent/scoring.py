"""Scoring an adapter on the held-out states, once each: what is on disk is not repeated."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from agent import durable
from agent.episode import Task
from agent.errors import DataError
from agent.evaluation import Trial, try_tasks
from agent.patience import Patience
from agent.session import Event, Parts

Phase = Literal["before", "adapt", "after"]


@dataclass(frozen=True, slots=True)
class Tried:
    """A held-out start state was attempted."""

    phase: Phase
    trial: Trial
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Stage:
    """One run's evaluations. A try costs a person's time on a real arm: each is kept at once."""

    folder: Path
    parts: Parts
    tasks: Sequence[Task]
    on_event: Callable[[Event | Tried], None]
    stop_wanted: Callable[[], bool]
    patience: Patience

    def score(self, phase: Phase, adapter: str) -> tuple[Trial, ...] | None:
        """Try every task that has not been tried yet; None when asked to stop before the end."""
        path = self.folder / f"{phase}-{adapter}.json"
        part = path.with_suffix(".part")
        if path.exists():
            part.unlink(missing_ok=True)
            return read_trials(path)
        done = list(read_trials(part)) if part.exists() else []
        durable.make_folder(self.folder)

        def note(trial: Trial) -> None:
            done.append(trial)
            _write(part, done)
            self.on_event(Tried(phase, trial, len(done), len(self.tasks)))

        left = self.tasks[len(done) :]
        try_tasks(self.parts.robot, self.parts.policy, left, note, self.stop_wanted, self.patience)
        if len(done) < len(self.tasks):
            return None
        _write(path, done)
        part.unlink(missing_ok=True)
        return tuple(done)


def read_trials(path: Path) -> tuple[Trial, ...]:
    """Read an evaluation back. Raises DataError if it is torn."""
    try:
        return tuple(Trial(**row) for row in json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise DataError(f"evaluation {path} cannot be read: {error}; delete it to redo") from error


def _write(path: Path, trials: Sequence[Trial]) -> None:
    durable.write_text(path, json.dumps([asdict(trial) for trial in trials]))
