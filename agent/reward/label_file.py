"""Labels in a folder: `labels.json` tells where they come from, `labels.jsonl` has one a line.

A label names its run, episode and views; `labels.json` has where each run lies, seen from the
folder, and each episode's fingerprint, so that nobody learns from pictures that were exchanged.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from agent.durable import storage_errors, write_text
from agent.episode import Episode
from agent.errors import DataError, UsageError
from agent.reward.labels import Label

HEAD, ROWS = "labels.json", "labels.jsonl"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Labelled:
    """One episode that was looked at. success: None where nobody knows, which gives no label.

    by: who says so, "person" or "world". fingerprint: of its pictures, as `fingerprint` gives.
    """

    run: str
    episode: str
    task: str
    instruction: str
    success: bool | None
    by: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class LabelHead:
    """What stands in `labels.json`. runs: each run's name and its folder, seen from this one.

    settings: every threshold by which the labels were made, by table and key.
    """

    runs: Mapping[str, str]
    episodes: tuple[Labelled, ...]
    settings: Mapping[str, Mapping[str, Any]]
    labels: int


def fingerprint(episode: Episode) -> str:
    """sha256 of what an episode's views show, feel and are asked, however it is packed on disk."""
    found = hashlib.sha256()
    for view in (*(step.observation for step in episode.steps), episode.last):
        found.update(view.instruction.encode())
        found.update(view.proprio.tobytes())
        for name in sorted(view.images):
            found.update(name.encode())
            found.update(view.images[name].tobytes())
    return found.hexdigest()


def write_labels(folder: Path, head: LabelHead, labels: Iterable[Label]) -> None:
    """Keep labels. Raises UsageError where the folder has some already, StorageError."""
    if (folder / HEAD).exists():
        raise UsageError(f"{folder} holds labels already; choose another folder")
    with storage_errors(folder, "making"):
        folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / ROWS, "".join(json.dumps(asdict(each)) + "\n" for each in labels))
    # Last, so that a folder with a head is whole.
    values = {"format": FORMAT, **asdict(head)}
    write_text(folder / HEAD, json.dumps(values, indent=1) + "\n")


def read_head(folder: Path) -> LabelHead:
    """Read where labels come from. Raises UsageError without any, DataError for torn ones."""
    path = folder / HEAD
    if not path.is_file():
        raise UsageError(
            f"labels wanted in {folder}, found no {HEAD}; "
            f"make some with: vlarl-agent reward label RUN --out {folder}"
        )
    try:
        values = json.loads(path.read_text("utf-8"))
        if values.pop("format") != FORMAT:
            raise DataError(f"{path}: format {FORMAT} wanted; label the runs anew")
        episodes = tuple(Labelled(**each) for each in values.pop("episodes"))
        return LabelHead(episodes=episodes, **values)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(f"{path}: torn or altered ({error}); label the runs anew") from error


def read_labels(folder: Path) -> Iterator[Label]:
    """Read labels one by one. Raises DataError at one that is torn, or where some are missing."""
    wanted, found = read_head(folder).labels, 0
    with storage_errors(folder / ROWS, "reading"), (folder / ROWS).open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                values = json.loads(line)
                label = Label(**{each.name: values[each.name] for each in fields(Label)})
            except (ValueError, TypeError, KeyError) as error:
                raise DataError(
                    f"{folder / ROWS}: line {number} is torn or altered; label the runs anew"
                ) from error
            found += 1
            yield label
    if found != wanted:
        raise DataError(f"{folder / ROWS}: {wanted} labels wanted, found {found}; label anew")
