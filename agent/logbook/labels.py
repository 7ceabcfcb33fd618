"""What people said of episodes: labels.jsonl, appended beside a living writer, never rewritten."""

from __future__ import annotations

import datetime
import getpass
import json
import os
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from agent.durable import append_line
from agent.errors import UsageError
from agent.logbook.damage import DAMAGED, Damages
from agent.store.folders import Folders
from agent.store.names import check_id, is_id

Kind = Literal["success", "failure", "note"]
KINDS: tuple[str, ...] = get_args(Kind)
FILE = "labels.jsonl"
LONGEST = 2000  # characters of a note


@dataclass(frozen=True, slots=True)
class Label:
    """One thing a person said. text: of a note. who: the user's name. when: UTC, ISO 8601."""

    episode: str
    label: Kind
    text: str
    who: str
    when: str


@dataclass(frozen=True, slots=True)
class Said:
    """What stands now of an episode's labels: the last outcome that was typed, and all notes."""

    outcome: str = ""
    notes: tuple[str, ...] = ()


def label(folder: Path, episode: str, kind: str, text: str = "", who: str = "") -> Label:
    """Keep a label, durably; the sealed episode itself is not touched.

    folder: of the run. who: the name of this process's user where it is not given.
    Raises UsageError for an episode or a label that is none, StorageError for the disk.
    """
    if kind not in KINDS:
        raise UsageError(f"a label is one of {', '.join(KINDS)}, found {kind[:40]!r}")
    plain = _plain(text)
    if kind == "note" and not plain:
        raise UsageError("a note wants some text, found none")
    folders = Folders(folder)
    places = (folders.episodes, folders.interrupted, folders.quarantine)
    if not any((place / check_id(episode)).is_dir() for place in places):
        raise UsageError(f"{folder} has no episode {episode}; `vlarl-agent episodes ls` lists them")
    when = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
    made = Label(episode, kind, plain, _plain(who) or _user(), when)  # type: ignore[arg-type]  # checked
    append_line(folder / FILE, json.dumps(asdict(made)))
    return made


def labels(folder: Path, damages: Damages | None = None) -> tuple[Label, ...]:
    """All labels of a run, oldest first; torn lines are left out, and noted in `damages`."""
    notes = damages or Damages(folder)
    text = notes.read(folder / FILE, lambda path: path.read_text("utf-8", "replace")) or ""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                found.append(_parsed(line))
            except DAMAGED:
                notes.add(folder / FILE, f"line {number} is torn or altered")
    return tuple(found)


def standing(said: tuple[Label, ...]) -> Mapping[str, Said]:
    """What stands of the labels, by episode."""
    now: dict[str, Said] = {}
    for each in said:
        before = now.get(each.episode, Said())
        if each.label == "note":
            now[each.episode] = Said(before.outcome, (*before.notes, each.text))
        else:
            notes = (*before.notes, each.text) if each.text else before.notes
            now[each.episode] = Said(each.label, notes)
    return now


def _parsed(line: str) -> Label:
    values = json.loads(line)
    # Who writes the file by hand may write anything; a terminal obeys control characters.
    made = Label(**{key: _plain(str(values[key])) for key in Label.__slots__})  # type: ignore[arg-type]
    if made.label not in KINDS or not is_id(made.episode):
        raise ValueError(line)
    return made


def _plain(text: str) -> str:
    """One line without control characters, at most `LONGEST` of them."""
    kept = (" " if unicodedata.category(each)[0] == "C" else each for each in text)
    return " ".join("".join(kept).split())[:LONGEST]


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name
        return str(os.getuid())
