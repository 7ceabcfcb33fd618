"""Makes a long adaptation log quickly: real episodes under many ids, with the updates between them.

    python -m benchmarks.big_log runs/big --episodes 2000 --steps 200

A few distinct episodes are recorded; the others are copies of them under their own ids, tasks,
start states, adapters and times, each with its own record and hashes: `episodes verify` accepts
the whole. Nothing in it was learned: the successes and figures of updates are drawn.
"""

from __future__ import annotations

import argparse
import datetime
import logging
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent import configuration
from agent.episode import Task, UpdateReport, Verdict
from agent.learn.ledger import BASE, Ledger
from agent.learn.metrics import NAMES
from agent.store.adopt import ROOT, renamed
from agent.store.folders import Folders
from agent.store.manifest import mend_manifest
from agent.store.record import DATA, RECORD, EpisodeRecord, read_record, record_bytes
from agent.store.run import create_run
from agent.store.zarr_store import ZarrStore
from benchmarks.drawn_episodes import drawn

EVERY = 8  # episodes an update
_TASKS = ("lift-red-cube", "lift-blue-cube", "red-on-blue")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A recorded episode, ready to be written again: its record, its files by path."""

    record: EpisodeRecord
    files: dict[str, bytes]


def main() -> int:
    """Make the log and say what it came to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="run folder to make")
    parser.add_argument("--episodes", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=200, help="decisions an episode")
    parser.add_argument("--distinct", type=int, default=8, help="episodes truly recorded")
    parser.add_argument("--picture", type=int, default=12, help="height and width, px")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    began = time.monotonic()
    logging.disable(logging.WARNING)  # recorded far faster than life, the disk is always slow
    make(
        options.run,
        options.episodes,
        options.steps,
        distinct=options.distinct,
        picture_px=options.picture,
        seed=options.seed,
    )
    files = [path.stat() for path in options.run.rglob("*") if path.is_file()]
    sys.stdout.write(
        f"{options.episodes} episodes of {options.steps} steps in {options.run}: {len(files)} "
        f"files, {sum(each.st_blocks for each in files) * 512 / 2**20:.0f} MiB on the disk, "
        f"{time.monotonic() - began:.0f} s\n"
    )
    return 0


def make(
    run: Path, episodes: int, steps: int, *, distinct: int = 8, picture_px: int = 12, seed: int = 0
) -> None:
    """Fill a new run folder. Raises UsageError where there is a run already."""
    create_run(run, configuration.to_dict(configuration.resolve().settings), {})
    rng = np.random.default_rng(seed)
    patterns = _record(run, min(distinct, episodes), steps, picture_px)
    ledger = Ledger(run)
    ledger.open()
    batch: list[bool] = []
    began = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    for number in range(1, episodes + 1):
        done = bool(rng.random() < 0.3 + 0.6 * number / episodes)
        began += datetime.timedelta(seconds=steps / 20 + 2)
        pattern = _pick(patterns, done, rng)
        _write(run, f"{number:06d}", pattern, _facts(pattern, number, ledger.current, began))
        batch.append(done)
        if len(batch) == EVERY:
            _update(ledger, number, batch, rng)
            batch = []
    mend_manifest(Folders(run))


def _record(run: Path, count: int, steps: int, picture_px: int) -> list[Pattern]:
    """Record distinct episodes beside the run, and take them into memory."""
    scratch = run / "distinct"
    store = ZarrStore(scratch)
    store.open()
    for number in range(count):
        content = drawn(number, steps, {"front": picture_px, "wrist": picture_px})
        recording = store.begin(content.task, BASE, 1.0, extra={"use": "learn"})
        for step in content.steps:
            recording.append(step)
        recording.finish(content.last, content.ending)
        recording.seal(content.signal)
    store.close()
    found = []
    for name in store.ids():
        folder = scratch / "episodes" / name
        record = read_record(folder)
        files = {path: (folder / DATA / path).read_bytes() for path in record.files}
        found.append(Pattern(record, files))
    shutil.rmtree(scratch)
    return found


def _pick(patterns: Sequence[Pattern], done: bool, rng: np.random.Generator) -> Pattern:  # noqa: FBT001
    verdict = (Verdict.SUCCESS if done else Verdict.FAILURE).value
    fit = [each for each in patterns if each.record.summary.verdict == verdict] or patterns
    return fit[int(rng.integers(len(fit)))]


def _facts(
    pattern: Pattern, number: int, adapter: str, began: datetime.datetime
) -> dict[str, object]:
    name = _TASKS[number % len(_TASKS)]
    told = pattern.record.attributes["task"]
    task = Task(name, told["instruction"], number % 50, told["horizon_steps"], number)
    values = {each: getattr(task, each) for each in told}
    return {"task": values, "adapter": adapter, "began": began.isoformat(timespec="milliseconds")}


def _write(run: Path, name: str, pattern: Pattern, facts: dict[str, object]) -> None:
    """Write one episode's folder; nothing is synced, for a lost log is made again."""
    record, root = renamed(pattern.record, pattern.files[ROOT], name, facts)
    folder = run / "episodes" / name
    for parent in sorted({(folder / DATA / path).parent for path in pattern.files}):
        parent.mkdir(parents=True, exist_ok=True)
    for path, data in {**pattern.files, ROOT: root}.items():
        (folder / DATA / path).write_bytes(data)
    (folder / RECORD).write_bytes(record_bytes(record))


def _update(ledger: Ledger, number: int, batch: Sequence[bool], rng: np.random.Generator) -> None:
    """Commit an update that has used the last episodes; five in six are kept."""
    count = len(ledger.reports) + 1
    used = tuple(f"{each:06d}" for each in range(number - len(batch) + 1, number + 1))
    # Each figure has its own luck: a new one leaves all that is drawn after it as it was.
    metrics = {
        name: float(np.random.default_rng([number, *name.encode()]).random())
        for name in NAMES
        if not name.startswith("gate/")
    }
    metrics |= {"update/success_rate": sum(batch) / len(batch), "update/decisions": 8.0 * 200}
    kept = bool(rng.random() < 5 / 6)
    why = "within all limits" if kept else "KL to the start adapter 0.61 is above 0.5"
    ledger.commit(
        UpdateReport(count, f"{count:04d}", ledger.current, used, kept, why, metrics), None
    )


if __name__ == "__main__":
    sys.exit(main())
