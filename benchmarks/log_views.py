"""How long the views of a long adaptation log take to open, each in a process of its own.

    python -m benchmarks.log_views --out results/log_views.json

Makes a log of 2,000 episodes of 200 decisions first, unless one is given. In a fresh process:
"imports", then the "first" look at a view, and "process", all of that with Python's own start;
"all" opens every view once in one process, as the terminal app does. "again" is the second look
at the same state, and "after_one_more" the look after an update's file was written anew.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import setting

VIEWS = ("runs", "run", "episodes", "adapters", "reward", "events", "episode")
_PROBE = """
import sys, time
began, cpu = time.perf_counter(), time.process_time()
from pathlib import Path
from agent import logbook
imported = time.perf_counter()
folder, names = Path(sys.argv[1]), sys.argv[2].split(",")
middle = sorted(path.name for path in (folder / "episodes").iterdir())[1000]
def look():
    for name in names:
        more = [middle] if name == "episode" else []
        getattr(logbook, name)(folder, *more)
def timed():
    start = time.perf_counter()
    look()
    return time.perf_counter() - start
first = timed()
spent = time.process_time() - cpu
again = timed()
last = sorted((folder / "updates").glob("*.json"))[-1]
last.write_text(last.read_text() + " ")
print(imported - began, first, again, timed(), spent)
"""


def main() -> int:
    """Measure, print, and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", type=Path, help="a long log that is there already")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        log = options.log or _made(Path(scratch) / "big")
        rounds = [_measure(log) for _ in range(options.rounds)]
        best = {name: {key: min(r[name][key] for r in rounds) for key in rounds[0][name]}
                for name in rounds[0]}  # fmt: skip
        episodes = len(list((log / "episodes").iterdir()))
    found = {
        "command": setting.command("log_views"),
        "commit": setting.commit(),
        "machine": setting.machine("zarr", "numpy"),
        "episodes": episodes,
        "rounds": options.rounds,
        "best_s": best,
    }
    text = json.dumps(found, indent=1) + "\n"
    sys.stdout.write(text)
    if options.out is not None:
        options.out.write_text(text)
    return 0


def _made(folder: Path) -> Path:
    command = [sys.executable, "-m", "benchmarks.big_log", str(folder), "--episodes", "2000"]
    subprocess.run([*command, "--steps", "200"], check=True, cwd=setting.ROOT)  # noqa: S603  ours
    return folder


def _measure(log: Path) -> dict[str, dict[str, float]]:
    found = {}
    for name in (*VIEWS, ",".join(VIEWS)):
        began = time.perf_counter()
        done = subprocess.run(  # noqa: S603  our own interpreter
            [sys.executable, "-c", _PROBE, str(log), name],
            cwd=setting.ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        process = time.perf_counter() - began
        imported, first, again, after, cpu = map(float, done.stdout.split())
        seconds = {
            "process": process, "imports": imported, "first": first, "cpu_of_both": cpu,
            "again": again, "after_one_more": after,
        }  # fmt: skip
        kind = "all" if "," in name else name
        found[kind] = {key: round(value, 4) for key, value in seconds.items()}
    return found


if __name__ == "__main__":
    sys.exit(main())
