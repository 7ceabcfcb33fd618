"""Every way to die and every way a disk fails, one row each: what was promised and what was lost.

    python -m benchmarks.crash_table --out results/crash.json
    python -m benchmarks.crash_table --rows sessions --out results/crash.json

A row is measured anew and the others are kept; without --rows all but the sessions are measured.
A strike takes about a second on two quiet cores, and there are about 3000 of them at --every 5,
the default. The row "sessions" is benchmarks.crash, a quarter of an hour for 200 kills of a process
that acts and learns.
"""

from __future__ import annotations

import argparse
import errno
import json
import logging
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import crash, crash_store, setting
from benchmarks.power_faults import cut_chore, cut_recording
from benchmarks.recording_faults import died_recording
from benchmarks.upkeep_faults import broken_promises, make_run, operations, strike

ERRORS = {"a full disk": errno.ENOSPC, "a broken disk": errno.EIO}
Found = dict[str, Any]


def main() -> int:
    """Measure the rows asked for; exit 1 when anything promised was lost in any row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", nargs="*", choices=sorted(ROWS), default=None)
    parser.add_argument("--every", type=int, default=5, help="strike at every n-th operation")
    parser.add_argument("--rounds", type=int, default=200, help="kills at random moments")
    parser.add_argument("--out", type=Path, default=None, help="JSON file of the rows")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)  # each recovery says so
    found: Found = {}
    if options.out is not None and options.out.is_file():  # rows measured before are kept
        found = json.loads(options.out.read_text())
    rows: dict[str, Found] = found.get("rows", {})
    for name in options.rows or [each for each in ROWS if each != "sessions"]:
        sys.stderr.write(f"{name}\n")
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as scratch:
            row = ROWS[name](Path(scratch), options.every, options.rounds)
        rows[name] = {
            "commit": setting.commit(),
            "every": options.every,
            **row,
            "seconds": round(time.monotonic() - began),
        }
        found = {
            "command": "python -m benchmarks.crash_table --out results/crash.json",
            "machine": setting.machine("zarr"),
            "rows": {each: rows[each] for each in ROWS if each in rows},
        }
        if options.out is not None:
            options.out.write_text(json.dumps(found, indent=1) + "\n")
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    return 1 if any(row["failures"] for row in rows.values()) else 0


def _killed(scratch: Path, _: int, rounds: int) -> Found:
    done = crash_store.crash(scratch / "run", rounds, 0)
    return {
        "struck": rounds,
        "sealed": done["sealed_and_promised"],
        "steps_lost_at_most": done["lost_steps_of_a_running_episode_at_most"],
        "failures": done["errors"],
    }


def _cut(scratch: Path, every: int, _: int) -> Found:
    cuts = cut_recording(scratch, every)
    return {
        "struck": cuts.count,
        "steps_lost_at_most": cuts.lost,
        "failures": cuts.failures,
    }


def _recording(error: int | None) -> Callable[[Path, int, int], Found]:
    def row(scratch: Path, every: int, _: int) -> Found:
        struck, lost, failures = died_recording(scratch, every, error)
        return {"struck": struck, "steps_lost_at_most": lost, "failures": failures}

    return row


def _chore(chore: str, error: int | None) -> Callable[[Path, int, int], Found]:
    def row(scratch: Path, every: int, _: int) -> Found:
        template, run = scratch / "template", scratch / "run"
        make_run(template)
        last = operations(chore, template, scratch / "count")
        struck, failures = 0, []
        for k in range(1, last + 1, every):
            strike(chore, template, run, k, error)
            failures += [f"{chore}, operation {k}: {said}" for said in broken_promises(chore, run)]
            struck += 1
            shutil.rmtree(run)
        return {"struck": struck, "operations": last, "failures": failures}

    return row


def _cut_chore(chore: str) -> Callable[[Path, int, int], Found]:
    def row(scratch: Path, every: int, _: int) -> Found:
        cuts = cut_chore(scratch, chore, every)
        return {"struck": cuts.count, "failures": cuts.failures}

    return row


def _sessions(scratch: Path, _: int, rounds: int) -> Found:
    done = crash.crash(scratch, rounds, 96, 0, 3)
    kept = ("died_in", "runs_completed", "runs_equal_to_the_undisturbed_one", "episodes_sealed",
            "updates_committed", "failures")  # fmt: skip
    return {"struck": rounds, **{key: done[key] for key in kept}}


ROWS: dict[str, Callable[[Path, int, int], Found]] = {
    "recording, killed at random": _killed,
    "recording, death at each file operation": _recording(None),
    **{f"recording, {what} from each on": _recording(error) for what, error in ERRORS.items()},
    "recording, power cut at each file operation": _cut,
    **{
        f"{chore}, death at each file operation": _chore(chore, None)
        for chore in ("fsck", "compact", "prune")
    },
    **{
        f"{chore}, {what} from each on": _chore(chore, error)
        for chore in ("fsck", "compact", "prune")
        for what, error in ERRORS.items()
    },
    **{
        f"{chore}, power cut at each file operation": _cut_chore(chore)
        for chore in ("fsck", "compact", "prune")
    },
    "sessions": _sessions,
}


if __name__ == "__main__":
    sys.exit(main())
