"""From an episode in memory to a folder of synced files with their hashes: all but the rename."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from agent.durable import make_folder, storage_errors, sync_folder, write_all
from agent.episode import Ending, Observation, RewardSignal, Step, Terminated
from agent.store.arrays import encode_group
from agent.store.hashes import FileHash
from agent.store.layout import JUDGED, Layout
from agent.store.opening import Opening
from agent.store.record import DATA, EpisodeRecord, write_record
from agent.store.schema import SCHEMA_VERSION, made_by
from agent.store.summary import Summary


@dataclass(frozen=True, slots=True)
class Whole:
    """All that is known of an episode at its commit; what was never known is None."""

    opening: Opening
    layout: Layout | None
    steps: Sequence[Step]
    last: Observation | None = None
    ending: Ending | None = None
    signal: RewardSignal | None = None
    why: str = ""


def write_episode(folder: Path, whole: Whole, chunks: Mapping[str, FileHash]) -> Summary:
    """Write everything but the image chunks, which are there already, and sync it all.

    When episode.json has its name the episode is complete and only its rename is missing.
    Raises StorageError.
    """
    attributes = attributes_of(whole)
    files = dict(chunks)
    if whole.layout is not None:
        judged = {} if whole.signal is None else {n: getattr(whole.signal, n) for n in JUDGED}
        encoded = encode_group(whole.layout, whole.steps, whole.last, judged, attributes)
        write_files(folder / DATA, encoded)
        files |= {path: FileHash.of(data) for path, data in encoded.items()}
    summary = summary_of(whole, sum(found.size for found in files.values()))
    status: Literal["complete", "interrupted"] = "interrupted" if whole.why else "complete"
    record = EpisodeRecord(status, summary, whole.layout, attributes, files)
    write_record(folder, record)
    return summary


def attributes_of(whole: Whole) -> dict[str, Any]:
    """The attributes of the Zarr group: plain JSON."""
    opening, signal = whole.opening, whole.signal
    return {
        "schema_version": SCHEMA_VERSION,
        "vlarl_version": made_by(),
        "episode": opening.id,
        "task": asdict(opening.task),
        "instruction": "" if whole.layout is None else whole.layout.instruction,
        "adapter": opening.adapter,
        "temperature": opening.temperature,
        "began": opening.began,
        "seconds": _seconds(whole),
        "cameras": [] if whole.layout is None else list(whole.layout.cameras),
        "ending": None if whole.ending is None else _ending(whole.ending),
        "verdict": None if signal is None else signal.verdict.value,
        "success_probability": None if signal is None else float(signal.success_probability),
        "source": None if signal is None else signal.source,
        "interrupted": whole.why,
        "extra": dict(opening.extra),
    }


def summary_of(whole: Whole, stored_bytes: int) -> Summary:
    """The episode in brief."""
    opening, signal = whole.opening, whole.signal
    return Summary(
        id=opening.id,
        task=opening.task.name,
        instruction=opening.task.instruction,
        start=opening.task.start,
        seed=opening.task.seed,
        adapter=opening.adapter,
        temperature=opening.temperature,
        use=str(opening.extra.get("use", "")),
        decisions=len(whole.steps),
        control_steps=sum(len(step.applied) for step in whole.steps),
        ending="interrupted" if whole.ending is None or whole.why else whole.ending.reason,
        verdict="" if signal is None else signal.verdict.value,
        success_probability=None if signal is None else float(signal.success_probability),
        seconds=_seconds(whole),
        began=opening.began,
        why=whole.why,
        source="" if signal is None else signal.source,
        executed=sum(int(step.executed.sum()) for step in whole.steps),
        limits=_limits(whole.steps),
        by_hand=sum(step.by_hand for step in whole.steps),
        stored_bytes=stored_bytes,
    )


def _limits(steps: Sequence[Step]) -> dict[str, int]:
    counts = Counter(str(limit.name).lower() for step in steps for limit in step.limits)
    return dict(sorted(counts.items()))


def _seconds(whole: Whole) -> float:
    if not whole.steps:
        return 0.0
    last = whole.steps[-1].observation if whole.last is None else whole.last
    return last.time_s - whole.steps[0].observation.time_s


def _ending(ending: Ending) -> dict[str, str]:
    kind = "terminated" if isinstance(ending, Terminated) else "truncated"
    return {"type": kind, "reason": ending.reason}


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write all, then sync all: the first sync carries most of what the others would wait for."""
    for parent in sorted({(folder / path).parent for path in files}):
        make_folder(parent)
    descriptors: list[int] = []
    with storage_errors(folder, "writing"):
        try:
            for path, data in files.items():
                flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
                descriptors.append(os.open(folder / path, flags, 0o644))
                write_all(descriptors[-1], data)
            for descriptor in descriptors:
                os.fsync(descriptor)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        for parent in sorted({(folder / path).parent for path in files}):
            sync_folder(parent)
