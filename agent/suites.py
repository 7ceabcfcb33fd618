"""Published suites of tasks: what is tried, on what terms, and tries that outlive a stop."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from agent import durable
from agent.episode import Suite, Task, TaskCard
from agent.errors import DataError, UsageError
from agent.evaluation import Trial


@runtime_checkable
class Suited(Protocol):
    """What a robot has besides where it offers published suites."""

    def suites(self) -> tuple[Suite, ...]:
        """Give the suites on offer."""
        ...


@dataclass(frozen=True, slots=True)
class Terms:
    """All that a success rate depends on besides the adapter.

    horizon_steps: by task, one number where all have the same. starts: those of each task.
    pipeline: how the policy brings a picture to its own size. seeds: of each try.
    """

    suite: str
    tasks: tuple[str, ...]
    starts: tuple[int, ...]
    horizon_steps: tuple[int, ...]
    settling_steps: int
    image_px: int
    pictures: str
    cameras: tuple[str, ...]
    pipeline: str
    policy_px: int
    policy: str
    shift: dict[str, float]
    decoding: str = "greedy"
    seeds: str = "each start state's number"

    def lines(self) -> tuple[str, ...]:
        """The same in words."""
        starts = f"{self.starts[0]} to {self.starts[-1]}" if self.starts else "none"
        horizons = ", ".join(map(str, self.horizon_steps))
        shift = ", ".join(f"{name} {value:g}" for name, value in self.shift.items()) or "none"
        return (
            f"{self.suite}: {len(self.tasks)} tasks, stored start states {starts} of each",
            f"horizon {horizons} control steps, after {self.settling_steps} settling steps",
            f"pictures {self.image_px} px, {self.pictures}, of {', '.join(self.cameras)}",
            f"pipeline {self.pipeline} to {self.policy_px} px",
            f"decoding {self.decoding}; seed of a try: {self.seeds}; shift: {shift}",
        )


def suite_of(robot: object, name: str) -> Suite:
    """The suite of that name. Raises UsageError where the robot does not offer it."""
    offered = robot.suites() if isinstance(robot, Suited) else ()
    for suite in offered:
        if suite.name == name:
            return suite
    known = ", ".join(suite.name for suite in offered) or "none"
    raise UsageError(f"this robot does not offer suite {name!r}; it offers: {known}")


def tries_of(suite: Suite, cards: Sequence[TaskCard], trials: int) -> list[Task]:
    """Each task from its first stored start states. Raises UsageError for more than there are."""
    if trials > suite.starts:
        raise UsageError(
            f"--trials {trials}: {suite.name} has {suite.starts} stored start states a task, and "
            "each is tried once, for decoding is greedy"
        )
    return [
        Task(card.name, card.instruction, start, card.horizon_steps, seed=start)
        for card in cards
        for start in range(trials)
    ]


class Tally:
    """Tries as lines of a file, each kept as soon as it is over. Without a path: in memory.

    The first line says on what terms; a file of other terms is refused with DataError.
    """

    def __init__(self, path: Path | None, terms: dict[str, Any]) -> None:
        self._path = path
        self._trials: dict[str, list[Trial]] = {}
        told = json.loads(json.dumps(terms))
        if path is None:
            return
        if path.exists():
            self._read(path, told)
        else:
            durable.make_folder(path.parent)
            durable.append_line(path, json.dumps({"terms": told}))

    def of(self, adapter: str) -> tuple[Trial, ...]:
        """The tries with an adapter so far, in the order of tasks and start states."""
        found = self._trials.get(adapter, ())
        return tuple(sorted(found, key=lambda t: (_natural(t.task), t.start)))

    def left(self, adapter: str, tasks: Sequence[Task]) -> list[Task]:
        """Those not yet tried with an adapter."""
        done = {(trial.task, trial.start) for trial in self._trials.get(adapter, ())}
        return [task for task in tasks if (task.name, task.start) not in done]

    def note(self, adapter: str, trial: Trial) -> None:
        """Keep a try. Raises StorageError where the disk cannot."""
        self._trials.setdefault(adapter, []).append(trial)
        if self._path is not None:
            line = {"adapter": adapter, **asdict(trial)}
            durable.append_line(self._path, json.dumps(line))

    def _read(self, path: Path, terms: dict[str, Any]) -> None:
        rows = [row for line in path.read_text().splitlines() if (row := _row(line))]
        try:
            found = rows[0]["terms"]
            for row in rows[1:]:
                self._trials.setdefault(row.pop("adapter"), []).append(Trial(**row))
        except (IndexError, TypeError, KeyError) as error:
            raise DataError(
                f"{path} holds no tries of a suite ({error}); take another --out"
            ) from (error)
        # More start states than before are no other terms.
        differ = [key for key in terms if key != "starts" and found.get(key) != terms[key]]
        if differ:
            raise DataError(
                f"{path} holds tries on other terms: {', '.join(differ)}; take another --out"
            )


def _row(line: str) -> dict[str, Any] | None:
    """A line's record; None for one that a death left torn."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def _natural(name: str) -> tuple[str, int]:
    head, _, number = name.rpartition("/")
    return (head, int(number)) if number.isdigit() else (name, 0)
