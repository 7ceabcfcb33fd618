"""A reader at 10 Hz beside a writer at 20 Hz: whether every picture is right and no step late."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agent.episode import RewardSignal, Step, Task, Truncated, Verdict
from agent.store.columns import read_pictures
from agent.store.folders import Folders
from agent.store.reader import ZarrReader
from agent.store.zarr_store import ZarrStore
from benchmarks.crash_store import Tell, in_child, told
from benchmarks.drawn_episodes import HZ

EPISODE = 200  # decisions
READ_HZ = 10.0


@dataclass(frozen=True, slots=True)
class Job:
    """What to record: for how long, which steps in turn, and how many an episode."""

    seconds: float
    steps: Sequence[Step]
    episode: int


def beside(
    scratch: Path, seconds: float, steps: Sequence[Step], episode: int = EPISODE
) -> dict[str, Any]:
    """The same writer alone for as long as beside the reader, each run in fresh processes."""
    job = Job(seconds, steps, episode)
    alone = _written(scratch / "alone", job, reader=False)
    both = _written(scratch / "both", job, reader=True)
    return {
        "seconds": seconds,
        "protocol": "2 cameras of 256x256 at 20 Hz, episodes of 200 steps one after another; the "
        "reader lists all episodes and decodes one picture of each camera, 10 times a second",
        "writer_alone": alone["writer"],
        "writer_beside_reader": both["writer"],
        "reader": both["reader"],
    }


def _written(folder: Path, job: Job, *, reader: bool) -> dict[str, Any]:
    folder.mkdir(parents=True)
    writer = in_child(lambda tell: _write(folder / "run", job, tell))
    found: dict[str, Any] = {}
    if reader:
        looked = told(*in_child(lambda tell: _read(folder / "run", job, tell)))
        found["reader"] = _answer(looked)
    return {"writer": _answer(told(*writer)), **found}


def _answer(ended: tuple[int, list[str]]) -> Any:  # noqa: ANN401  whatever the child told
    code, lines = ended
    if code:
        raise RuntimeError(str(lines))
    return json.loads(lines[-1])


def _write(run: Path, job: Job, tell: Tell) -> None:
    store = ZarrStore(run)
    store.open()
    spent: list[float] = []
    seals: list[float] = []
    missed, until = 0, time.monotonic() + job.seconds
    while time.monotonic() < until:
        recording = store.begin(Task("t", "", 0, job.episode), "base", 1.0)
        due = time.monotonic()
        for index in range(job.episode):
            time.sleep(max(0.0, due - time.monotonic()))
            began = time.monotonic()
            recording.append(job.steps[index % len(job.steps)])
            spent.append(time.monotonic() - began)
            due += 1 / HZ
            if began + spent[-1] > due:
                missed, due = missed + 1, time.monotonic()
        last = job.steps[job.episode % len(job.steps)].observation
        began = time.monotonic()
        recording.finish(last, Truncated("timeout"))
        progress = np.zeros(job.episode + 1, np.float32)
        recording.seal(RewardSignal(progress, 0.0, Verdict.UNKNOWN, "none"))
        seals.append(time.monotonic() - began)
    store.close()
    tell(json.dumps({
        "episodes": len(seals),
        "steps": len(spent),
        "deadlines_missed": missed,
        "step_p99_ms": round(1e3 * float(np.percentile(spent, 99)), 3),
        "step_most_ms": round(1e3 * max(spent), 3),
        "seal_most_s": round(max(seals), 2),
    }))  # fmt: skip


def _read(run: Path, job: Job, tell: Tell) -> None:
    reader, rng = ZarrReader(run), np.random.default_rng(0)
    episodes = Folders(run).episodes
    looks, wrong, late, spent = 0, 0, 0, []
    due, until = time.monotonic(), time.monotonic() + job.seconds
    while time.monotonic() < until:
        due += 1 / READ_HZ
        time.sleep(max(0.0, due - time.monotonic()))
        began = time.monotonic()
        rows = reader.summaries()
        if rows:
            record = reader.record(rows[-1].id)
            index = int(rng.integers(job.episode + 1))
            for camera in ("front", "wrist"):
                found = read_pictures(episodes / rows[-1].id, record, camera, index, index + 1)
                wanted = job.steps[index % len(job.steps)].observation.images[camera]
                wrong += not np.array_equal(found[0], wanted)
                looks += 1
        spent.append(time.monotonic() - began)
        if time.monotonic() > due + 1 / READ_HZ:
            late, due = late + 1, time.monotonic()
    tell(json.dumps({
        "pictures": looks,
        "wrong": wrong,
        "late_looks": late,
        "look_p50_ms": round(1e3 * float(np.percentile(spent, 50)), 2),
        "look_p99_ms": round(1e3 * float(np.percentile(spent, 99)), 2),
    }))  # fmt: skip
