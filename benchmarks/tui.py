"""Measures the terminal app on a long log: how soon it is there, and how quickly one scrubs.

    python -m benchmarks.tui --out results/tui.json

The app is the real command in a terminal of its own (a pty), and what counts is what reaches that
terminal: from the start of the process to the whole first screen, and from a key to the next view
with all its pictures. Every view of some episodes is gone through, each key sent when the last
view is there. Memory is the most that was resident, after every screen was visited. Without --log
a log is made first, which takes some minutes and gigabytes, and is removed afterwards.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import big_log, setting
from benchmarks.terminal import Terminal

SIZES = ((80, 24), (200, 60))
OPENINGS = 5
COMMAND = str(Path(sys.executable).with_name("vlarl-agent"))
TABS = {"2": "steps", "3": "acted in", "4": "what is not known", "5": "time"}


def main() -> None:
    """Measure at both sizes; write the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", type=Path, help="a log that is there already")
    parser.add_argument("--episodes", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=200, help="decisions an episode")
    parser.add_argument("--picture", type=int, default=32, help="height and width, px")
    parser.add_argument("--scrubbed", type=int, default=3, help="episodes gone through")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        run = asked.log or Path(scratch) / "log"
        if asked.log is None:
            big_log.make(run, asked.episodes, asked.steps, picture_px=asked.picture)
        report = {
            "command": setting.command("tui"),
            "commit": setting.commit(),
            "machine": setting.machine("textual", "zarr"),
            "log": {
                "episodes": sum(1 for _ in (run / "episodes").iterdir()),
                "decisions": asked.steps,
                "picture_px": asked.picture,
            },
            "rows": [_measured(run, size, asked.steps, asked.scrubbed) for size in SIZES],
        }
    text = json.dumps(report, indent=1) + "\n"
    if asked.out:
        asked.out.write_text(text)
    sys.stdout.write(text)


def _measured(run: Path, size: tuple[int, int], steps: int, episodes: int) -> dict[str, Any]:
    openings = [_opening_s(run, size) for _ in range(OPENINGS)]
    with Terminal([COMMAND, "tui", str(run)], size) as terminal:
        terminal.wait_for("critic EV")
        terminal.type("2")
        terminal.wait_for("000019")
        listed_mib = terminal.resident_mib()
        terminal.type("\r")
        waits = [wait for _ in range(episodes) for wait in _scrub(terminal, steps)]
        for key, said in TABS.items():
            terminal.type(key)
            terminal.wait_for(said)
        most_mib = terminal.most_resident_mib()
        terminal.type("q")
    waits.sort()
    return {
        "terminal": f"{size[0]}x{size[1]}",
        "open_s": round(statistics.median(openings), 3),
        "views": len(waits),
        "views_hz": round(len(waits) / sum(waits), 1),
        "view_p50_ms": round(1000 * statistics.median(waits), 1),
        "view_p99_ms": round(1000 * waits[int(0.99 * len(waits))], 1),
        "listed_mib": round(listed_mib),
        "most_mib": round(most_mib),
    }


def _opening_s(run: Path, size: tuple[int, int]) -> float:
    """From the start of the process to the whole run screen."""
    began = time.perf_counter()
    with Terminal([COMMAND, "tui", str(run)], size) as terminal:
        terminal.wait_for("critic EV")  # the head of the updates, which are drawn last
        took_s = time.perf_counter() - began
        terminal.type("q")
    return took_s


def _scrub(terminal: Terminal, steps: int) -> list[float]:
    """Seconds from each key to its view with its pictures, from first view to last."""
    terminal.wait_for(f"view 1/{steps + 1} ", "wrist")
    waits = []
    for view in range(2, steps + 2):
        began = time.perf_counter()
        terminal.type("\x1b[C")
        terminal.wait_for(f"view {view}/{steps + 1} ", "wrist")
        waits.append(time.perf_counter() - began)
    terminal.type("]")
    return waits


if __name__ == "__main__":
    main()
