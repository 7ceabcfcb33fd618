"""Everything that happened in a run, in the order of time."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from agent import suspension
from agent.logbook.damage import Damage, Damages
from agent.logbook.episodes_view import EpisodeRow, rows
from agent.logbook.labels import labels
from agent.logbook.run_view import Head, head
from agent.logbook.success import evaluations
from agent.logbook.suspended import suspensions
from agent.logbook.updates import UpdateRow, stamp, updates

Kind = Literal[
    "begun", "episode", "interrupted", "fault", "update", "discarded", "rolled back",
    "evaluation", "label", "suspended", "lifted", "damage", "finished",
]  # fmt: skip
# How the errors of agent/errors.py that stop an episode begin their reason.
FAULTS = ("RobotFault", "SafetyStop", "StorageError", "nonfinite_action", "RewardUnavailable")


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One thing that happened. when: UTC, ISO 8601, "" where unknown. subject: an id or a name."""

    when: str
    kind: Kind
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class LogView:
    """All events, oldest first."""

    events: tuple[LogEvent, ...]
    damage: tuple[Damage, ...]


def events(folder: Path) -> LogView:
    """Everything that happened in a run. Raises UsageError where there is none."""
    damages = Damages(folder)
    top = head(folder, damages)
    history = updates(folder, damages)
    table = rows(folder, damages, history)
    found = [*_begun(top), *_episodes(table), *_updates(history, table)]
    for score in evaluations(folder, damages):
        text = f"{score.phase}: {score.rate.won} of {score.rate.tried} held-out states"
        found.append(LogEvent(score.when, "evaluation", score.adapter, text))
    for each in labels(folder, damages):
        said = each.label if each.label != "note" else "note:"
        text = " ".join(part for part in (said, each.text, f"({each.who})") if part)
        found.append(LogEvent(each.when, "label", each.episode, text))
    found += _suspensions(folder, damages)
    found += _finished(folder, damages)
    found += [LogEvent("", "damage", each.path, each.what) for each in damages.found]
    # What has no time of its own is told at the end.
    ordered = sorted(found, key=lambda event: event.when or "9")
    return LogView(tuple(ordered), damages.found)


def _begun(top: Head) -> Iterator[LogEvent]:
    shift = ", ".join(f"{name} {value:g}" for name, value in top.shift.items()) or "none"
    text = f"{top.robot} {top.task}".strip() + f", shift {shift}, seed {top.seed}"
    yield LogEvent(_even(top.created), "begun", top.name, text)


def _episodes(table: Sequence[EpisodeRow]) -> Iterator[LogEvent]:
    for row in table:
        summary = row.summary
        if summary is None:
            yield LogEvent("", "damage", row.id, f"{row.status}, and its record cannot be read")
            continue
        where = f"{summary.task} start {summary.start}, adapter {summary.adapter}"
        if row.status == "sealed":
            held = ", ".join(f"{name} x{count}" for name, count in summary.limits.items())
            more = (f", limits: {held}" if held else "") + (", by hand" if summary.by_hand else "")
            how = f"{summary.verdict or summary.ending} after {summary.control_steps} steps"
            yield LogEvent(summary.began, "episode", row.id, f"{how}: {where}{more}")
        elif row.status == "running":
            yield LogEvent(summary.began, "begun", row.id, f"running: {where}")
        else:
            fault = summary.why.startswith(FAULTS)
            text = f"{summary.why or row.status}: {where}"
            yield LogEvent(summary.began, "fault" if fault else "interrupted", row.id, text)


def _updates(history: Sequence[UpdateRow], table: Sequence[EpisodeRow]) -> Iterator[LogEvent]:
    kinds: Mapping[str, Kind] = {"discarded": "discarded", "rolled back": "rolled back"}
    # Ids and times both grow, so they are searched and not walked for every update.
    known = [row for row in table if row.summary is not None and row.summary.began]
    ids = [row.id for row in known]
    began = [row.summary.began for row in known if row.summary is not None]
    for row in history:
        text = f"{row.outcome}: {row.why} ({len(row.episodes)} episodes, from {row.parent})"
        when = row.when
        if row.episodes:
            next_one = bisect.bisect_right(ids, max(row.episodes))
            when = _between(when, began[:next_one][-1:], began[next_one : next_one + 1])
        yield LogEvent(when, kinds.get(row.outcome, "update"), row.adapter, text)


def _between(when: str, last: Sequence[str], following: Sequence[str]) -> str:
    """A time after the last episode that an update used, and before the one that came next.

    A copied file has a new time, so the time of the file alone will not do.
    """
    if last and when < last[0]:
        when = _later(last[0])
    if following and when > following[0]:
        when = _later(following[0], -1)
    return when


def _suspensions(folder: Path, damages: Damages) -> Iterator[LogEvent]:
    for row in suspensions(folder, damages).rows:
        if isinstance(row, suspension.Lifted):
            yield LogEvent(
                row.when, "lifted", row.after, f"learning goes on: {row.why} ({row.who})"
            )
        else:
            yield LogEvent(row.when, "suspended", row.episode, f"{row.watch}: {row.why}")


def _finished(folder: Path, damages: Damages) -> Iterator[LogEvent]:
    outcome = damages.json(folder / "outcome.json")
    if outcome:
        when = damages.read(folder / "outcome.json", stamp) or ""
        yield LogEvent(
            when, "finished", str(outcome.get("adapter", "")), str(outcome.get("why", ""))
        )


def _even(when: str) -> str:
    """A time of seconds written as one of milliseconds, so that text sorts as time."""
    return _later(when, 0) if when else ""


def _later(when: str, milliseconds: int = 1) -> str:
    try:
        moment = datetime.fromisoformat(when) + timedelta(milliseconds=milliseconds)
    except ValueError:
        return when
    return moment.isoformat(timespec="milliseconds")
