"""Fuzz the guard: no target outside the envelope, no latch that comes off by itself.

python -m benchmarks.guard_fuzz [--steps 1000000] [--processes 2]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import setting
from benchmarks.guard_oracle import Wrong
from benchmarks.guard_play import Play, happening
from calibration.profile import load

STEPS_A_LIFE = 400
PROFILES = ("franka", "panda", "tabletop")
OUT = setting.ROOT / "results" / "guard-fuzz.json"


def live(seed: int, steps: int = STEPS_A_LIFE) -> tuple[Counter[str], str]:
    """One life: what happened in it, and what was wrong, "" for nothing."""
    name = PROFILES[seed % len(PROFILES)]
    play = Play(load(name), seed)
    for number in range(steps):
        what = happening(play.rng)
        try:
            with np.errstate(all="raise", under="ignore"):
                play.step(what)
        except Wrong as wrong:
            return _told(play, number + 1), f"life {seed} ({name}), step {number}, {what}: {wrong}"
        except Exception as error:
            return _told(play, number + 1), f"life {seed} ({name}), step {number}: {error!r}"
    return _told(play, steps), ""


def fuzz(steps: int, processes: int, seed: int = 0) -> dict[str, Any]:
    """So many steps in lives of their own; what was seen, and every finding."""
    lives = [seed + number for number in range(-(-steps // STEPS_A_LIFE))]
    seen: Counter[str] = Counter()
    wrong = []
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for told, finding in pool.imap_unordered(live, lives, chunksize=8):
            seen += told
            wrong += [finding] if finding else []
    return {
        "steps": seen["steps"],
        "lives": len(lives),
        "targets_judged": seen["targets"],
        "requests": {
            name.removeprefix("request "): count
            for name, count in sorted(seen.items()) if name.startswith("request ")
        },
        "held_to": {
            name.removeprefix("held ").lower(): count
            for name, count in sorted(seen.items()) if name.startswith("held ")
        },
        "steps_in_state": {name: seen[name] for name in sorted(seen) if name.isupper()},
        "findings": len(wrong),
        "first_findings": wrong[:5],
    }  # fmt: skip


def _told(play: Play, steps: int) -> Counter[str]:
    counted = Counter({"steps": steps, "targets": play.oracle.targets})
    held = {name: n for name, n in play.keeper.counts.items() if name.startswith("held ")}
    return counted + play.seen + Counter(held)


def main() -> int:
    """Fuzz and write results/guard-fuzz.json; 1 where there was a finding."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=OUT)
    told = parser.parse_args()
    began_s = time.monotonic()
    found = fuzz(told.steps, told.processes)
    found["minutes"] = round((time.monotonic() - began_s) / 60, 1)
    whole = {
        "command": setting.command("guard_fuzz"),
        "commit": setting.commit(),
        "machine": setting.machine("numpy"),
        **found,
    }
    told.out.write_text(json.dumps(whole, indent=1) + "\n")
    return 1 if found["findings"] else 0


if __name__ == "__main__":
    sys.exit(main())
