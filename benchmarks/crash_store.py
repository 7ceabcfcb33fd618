"""Kills a process that records episodes, at random moments, and looks at what is left.

    python -m benchmarks.crash_store --rounds 200

Every number of an episode follows from its id, so what is read back is compared to the bit. The
parent only forks and kills; writers and checkers are fresh children, so none inherits a thread.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import zarr

from agent.episode import Task
from agent.store.folders import Folders
from agent.store.reader import ZarrReader
from agent.store.zarr_store import ZarrStore
from benchmarks.seeded_episodes import ADAPTER, CAMERAS, Content, differences, seeded

Tell = Callable[[str], None]


def record(store: ZarrStore, tell: Tell, decisions: int = 35, pace_s: float = 0.0) -> str:
    """Record one episode whose content follows from its id, telling each promise of the store."""
    recording = store.begin(Task("", "", 0, 0), ADAPTER, 1.0, extra={"use": "learn"})
    store_id = recording.id
    content = seeded(int(store_id), decisions)
    tell(f"began {store_id}")
    for index, step in enumerate(content.steps):
        recording.append(step)
        tell(f"kept {store_id} {index + 1}")
        time.sleep(pace_s)
    recording.finish(content.last, content.ending)
    recording.seal(content.signal)
    tell(f"sealed {store_id}")
    return store_id


def saved_steps(folder: Path, content: Content) -> int:
    """How many decisions of an interrupted episode are there; ValueError for a wrong one."""
    if not (folder / "data.zarr").is_dir():
        return 0
    group = zarr.open_group(folder / "data.zarr", mode="r")
    tokens = np.asarray(group["tokens"])
    felt = np.asarray(group["privileged"])
    frames = {name: np.asarray(group[f"images/{name}"]) for name in CAMERAS}
    for index, row in enumerate(tokens):
        step = content.steps[index]
        same = np.array_equal(row, step.decision.tokens)
        same &= np.array_equal(felt[index], step.observation.privileged)
        same &= all(
            np.array_equal(frames[name][index], step.observation.images[name]) for name in CAMERAS
        )
        if not same:
            raise ValueError(f"{folder}: step {index} is not what was recorded")
    return len(tokens)


def in_child(work: Callable[[Tell], None]) -> tuple[int, int]:
    """Run work in a forked child; returns its pid and the end of a pipe with what it tells."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    code = 1
    try:
        os.close(reading)
        work(lambda line: _tell(writing, line))
        code = 0
    except BaseException as error:  # a forked child never returns to the parent's code
        _tell(writing, f"error {error!r}")
    finally:
        os._exit(code)


def told(pid: int, reading: int) -> tuple[int, list[str]]:
    """Wait for a child's end; returns its exit code and all it told."""
    with os.fdopen(reading, "rb") as pipe:
        lines = pipe.read().decode().splitlines()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), lines


def main() -> int:
    """Run the rounds; exit 1 when anything promised was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--run", type=Path, default=None, help="run folder; default: a temporary")
    parser.add_argument("--out", type=Path, default=None, help="JSON file of the outcome")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        outcome = crash(options.run or Path(scratch) / "run", options.rounds, options.seed)
    text = json.dumps(outcome, indent=1)
    if options.out is not None:
        options.out.write_text(text + "\n")
    sys.stdout.write(text + "\n")
    return 1 if outcome["errors"] else 0


def crash(run: Path, rounds: int, seed: int) -> dict[str, object]:
    """Kill `rounds` writers in one run folder; returns the counts."""
    rng, began = random.Random(seed), time.monotonic()  # noqa: S311  moments to kill at
    totals = {"sealed_and_promised": 0, "sealed_unpromised": 0, "interrupted": 0}
    lost: list[int] = []
    errors: list[str] = []
    for _ in range(rounds):
        promised = _killed_writer(run, rng.randrange(120), rng.uniform(0.0, 0.05))
        code, lines = told(*in_child(lambda tell, p=promised: _check(run, p, tell)))
        if code or not lines:
            errors += lines or ["the checker said nothing"]
            continue
        report = json.loads(lines[-1])
        for name in totals:
            totals[name] += report[name]
        lost += report["lost"]
        errors += report["errors"]
    code, lines = told(*in_child(lambda tell: _check_all(run, tell)))
    errors += lines if code or lines != ["ok"] else []
    return {
        "rounds": rounds,
        "seed": seed,
        **totals,
        "lost_steps_of_a_running_episode_at_most": max(lost, default=0),
        "errors": errors,
        "seconds": round(time.monotonic() - began, 1),
    }


def _killed_writer(run: Path, after_lines: int, after_s: float) -> list[str]:
    """Kill a writer a moment after it told so many lines; about 37 lines are one episode."""

    def write(tell: Tell) -> None:
        store = ZarrStore(run)
        store.open()
        tell("ready")
        while True:
            record(store, tell, pace_s=0.003)

    pid, reading = in_child(write)
    heard = b""
    while heard.count(b"\n") <= after_lines and (more := os.read(reading, 4096)):
        heard += more
    time.sleep(after_s)
    os.kill(pid, signal.SIGKILL)
    with os.fdopen(reading, "rb") as pipe:
        heard += pipe.read()
    os.waitpid(pid, 0)
    return heard.decode().splitlines()


def _check(run: Path, promised: list[str], tell: Tell) -> None:
    """Recover, then hold the run against what the dead writer had been promised."""
    sealed, kept = set(), {}
    errors = [line for line in promised if line.startswith("error")]
    for line in promised:
        words = line.split()
        if words[0] == "sealed":
            sealed.add(words[1])
        elif words[0] in {"began", "kept"}:
            kept[words[1]] = int(words[2]) if words[0] == "kept" else 0
    store = ZarrStore(run)
    store.open()
    here = set(store.ids())
    unpromised, lost = [name for name in kept if name in here and name not in sealed], []
    for name in sorted(sealed | set(unpromised)):
        wrong = differences(untasked(name), store.read(name)) if name in here else ["absent"]
        errors += [f"{name}: {what}" for what in wrong]
    broken = sorted(set(kept) - sealed - set(unpromised))
    for name in broken:
        count = saved_steps(Folders(run).interrupted / name, untasked(name))
        lost.append(max(0, kept[name] - count))
    store.close()
    report = {
        "sealed_and_promised": len(sealed),
        "sealed_unpromised": len(unpromised),
        "interrupted": len(broken),
        "lost": lost,
        "errors": errors,
    }
    tell(json.dumps(report))


def _check_all(run: Path, tell: Tell) -> None:
    reader = ZarrReader(run)
    for finding in reader.verify():
        tell(str(finding))
    listed = [row.id for row in reader.summaries()]
    tell("ok" if listed == list(reader.ids()) else "the manifest is not what is there")


def untasked(name: str, decisions: int = 35) -> Content:
    """What `record` recorded under this id."""
    content = seeded(int(name), decisions)
    return dataclasses.replace(content, task=Task("", "", 0, 0))


def _tell(writing: int, line: str) -> None:
    os.write(writing, line.encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main())
