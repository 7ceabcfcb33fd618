"""What recording costs a 20 Hz control loop, beside four other ways to record.

    python -m benchmarks.recording --out results/recording.json
    python -m benchmarks.recording --reader-minutes 10 --out results/recording.json

The first takes about four minutes, a row a format and size, each in a process of its own. The
second adds a reader at 10 Hz beside a writer of this store, in two processes, and keeps the rows.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from agent.episode import Observation, Step
from benchmarks import setting
from benchmarks.crash_store import Tell, in_child, told
from benchmarks.drawn_episodes import HZ, drawn, picture
from benchmarks.reader_beside import beside
from benchmarks.recorders import RECORDERS

SIZES = {"2 x 256x256": (256, 256), "2 x 640x480": (480, 640)}
NOISE = 2.0  # standard deviation of 255: a good camera in a lit room
DISTINCT = 30  # different views, taken in turn


def main() -> int:
    """Measure, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0, help="of recording a row")
    parser.add_argument("--reader-minutes", type=float, default=0.0)
    parser.add_argument("--out", type=Path, default=None, help="JSON file of the outcome")
    options = parser.parse_args()
    found: dict[str, Any] = {}
    if options.out is not None and options.out.is_file():
        found = json.loads(options.out.read_text())
    with tempfile.TemporaryDirectory() as scratch:
        if options.reader_minutes:
            found["reader"] = {
                "command": setting.command("recording"),
                **beside(Path(scratch), 60 * options.reader_minutes, steps(256, 256)),
            }
        else:
            rows = [
                row(name, size, options.seconds, Path(scratch) / f"{number}")
                for number, (size, name) in enumerate(
                    (size, name) for size in SIZES for name in RECORDERS
                )
            ]
            found |= {
                "command": setting.command("recording"),
                "commit": setting.commit(),
                "machine": setting.machine("zarr", "h5py", "mcap", "pyarrow", "av"),
                "protocol": f"{options.seconds:g} s at {HZ:g} Hz a row; pictures with sensor noise "
                f"of {NOISE:g} of 255; a deadline is missed where a step is not kept when the "
                "next is due; processor share: of one core, all threads",
                "rows": rows,
            }
    text = json.dumps(found, indent=1)
    if options.out is not None:
        options.out.write_text(text + "\n")
    sys.stdout.write(text + "\n")
    return 0


def row(name: str, size: str, seconds: float, folder: Path) -> dict[str, Any]:
    """One format at one size, in a fresh process."""
    folder.mkdir(parents=True)
    sys.stderr.write(f"{name}, {size}\n")
    code, lines = told(*in_child(lambda tell: _record(name, size, seconds, folder, tell)))
    if code:
        raise RuntimeError(f"{name}, {size}: {lines}")
    return {"format": name, "cameras": size, **json.loads(lines[-1])}


def steps(h: int, w: int) -> list[Step]:
    """Different steps with noisy pictures, to be taken in turn."""
    rng = np.random.default_rng(0)
    content = drawn(0, DISTINCT, {})
    return [
        _with_pictures(step, {
            name: picture(rng, index / DISTINCT, h, w, NOISE) for name in ("front", "wrist")
        })
        for index, step in enumerate(content.steps)
    ]  # fmt: skip


def _with_pictures(step: Step, images: dict[str, Any]) -> Step:
    view = step.observation
    seen = Observation(images, view.proprio, view.instruction, view.time_s, view.privileged)
    return Step(
        seen, step.decision, step.applied, step.executed, step.track, step.times, step.limits
    )


def _record(name: str, size: str, seconds: float, folder: Path, tell: Tell) -> None:
    h, w = SIZES[size]
    taken = steps(h, w)
    count, period = int(seconds * HZ), 1 / HZ
    recorder = RECORDERS[name](folder)
    spent, missed = [], 0
    cpu = time.process_time()
    due = time.monotonic() + period
    for index in range(count):
        time.sleep(max(0.0, due - time.monotonic()))
        began = time.monotonic()
        recorder.append(taken[index % DISTINCT])
        ended = time.monotonic()
        spent.append(ended - began)
        due += period
        if ended > due:  # kept after the next one was due: the loop goes on from here
            missed += 1
            due = ended
    ended = time.monotonic()
    recorder.close(taken[count % DISTINCT])
    share = (time.process_time() - cpu) / (count * period)
    raw = (count + 1) * 2 * 3 * h * w
    stored = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    p50, p99 = np.percentile(spent, [50, 99])
    tell(json.dumps({
        "steps": count,
        "deadlines_missed": missed,
        "step_p50_ms": round(1e3 * float(p50), 3),
        "step_p99_ms": round(1e3 * float(p99), 3),
        "step_most_ms": round(1e3 * max(spent), 3),
        "processor_share": round(share, 3),
        "finish_s": round(time.monotonic() - ended, 2),
        "bytes_to_raw": round(stored / raw, 4),
    }))  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
