"""suspensions.jsonl: why learning waits, until a person lifts it; appended, never rewritten.

What was recorded under suspicion is kept but never learned from: the episodes that waited for an
update when an alarm came, and all up to the lift.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from agent.durable import append_line
from agent.episode import Alarm
from agent.errors import DataError, UsageError

FILE = "suspensions.jsonl"
LONGEST = 500  # characters of a reason


@dataclass(frozen=True, slots=True)
class Suspended:
    """An alarm came with `episode`. doubted: ids that waited to be learned from. when: UTC."""

    watch: str
    why: str
    episode: str
    doubted: tuple[str, ...]
    when: str
    facts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lifted:
    """A person put it right. after: id of the last episode under suspicion. when: UTC."""

    who: str
    why: str
    after: str
    when: str


@dataclass(frozen=True, slots=True)
class Suspensions:
    """All of a run, oldest first."""

    rows: tuple[Suspended | Lifted, ...] = ()

    @property
    def standing(self) -> tuple[Suspended, ...]:
        """Those that hold learning up now."""
        since: list[Suspended] = []
        for row in self.rows:
            if isinstance(row, Lifted):
                since = []
            else:
                since.append(row)
        return tuple(since)

    def doubts(self, episode: str) -> bool:
        """Whether an episode was recorded under suspicion. Ids sort by age."""
        began = ""
        for row in self.rows:
            if isinstance(row, Suspended):
                if episode in row.doubted:
                    return True
                began = began or row.episode
            else:
                if began and began <= episode <= row.after:
                    return True
                began = ""
        return bool(began) and began <= episode


def read(folder: Path) -> Suspensions:
    """The suspensions of a run. Raises DataError.

    A line that a death tore counts as a suspension: to go on by mistake is worse than to ask.
    """
    path = folder / FILE
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return Suspensions()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}; restore it") from error
    rows = []
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            rows.append(_row(json.loads(line)))
        except (ValueError, TypeError, KeyError):
            why = f"line {number} of {FILE} is torn: nobody knows what was suspended or lifted"
            rows.append(Suspended("the log", why, "", (), ""))
    return Suspensions(tuple(rows))


def suspend(folder: Path, alarm: Alarm, episode: str, doubted: Sequence[str]) -> Suspended:
    """Hold learning up from this episode on, durably. Raises StorageError."""
    row = Suspended(
        alarm.watch, alarm.why, episode, tuple(doubted), _now(),
        {name: float(value) for name, value in alarm.facts.items()},
    )  # fmt: skip
    append_line(folder / FILE, json.dumps({"kind": "suspended", **asdict(row)}))
    return row


def lift(folder: Path, who: str, why: str, after: str) -> Lifted:
    """Let learning go on after the episode `after`.

    Raises UsageError where nothing is suspended or no reason is given, StorageError for the disk.
    """
    if not read(folder).standing:
        raise UsageError(f"learning is not suspended in {folder}; there is nothing to lift")
    said = " ".join(why.split())[:LONGEST]
    if not said:
        raise UsageError("a reason wanted, such as 'the camera was put back'; found none")
    row = Lifted(who, said, after, _now())
    append_line(folder / FILE, json.dumps({"kind": "lifted", **asdict(row)}))
    return row


def _row(values: dict[str, object]) -> Suspended | Lifted:
    kind = values.pop("kind")
    if kind == "lifted":
        return Lifted(**{name: str(value) for name, value in values.items()})
    if kind != "suspended":
        raise ValueError(f"want kind suspended or lifted, found {kind!r}")
    doubted, facts = values.pop("doubted"), values.pop("facts", {})
    if not isinstance(doubted, list) or not isinstance(facts, dict):
        raise TypeError("want a list of ids and a table of figures")
    words = {name: str(value) for name, value in values.items()}
    return Suspended(
        **words,
        doubted=tuple(str(each) for each in doubted),
        facts={str(name): float(value) for name, value in facts.items()},
    )


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
