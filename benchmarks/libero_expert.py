"""Run the scripted LIBERO expert over stored start states and write what came of it.

    python benchmarks/libero_expert.py --task libero_object/0 --starts 0-49 \
        --out results/libero-expert.json

No pictures are drawn: the expert looks at poses, and the physics is the same without.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import shlex
import subprocess
import sys
import time
from pathlib import Path

from agent.episode import Task, TaskCard, Terminated
from agent.errors import UsageError
from agent.settings import RobotSettings
from sim.libero.expert import LiberoExpert
from sim.libero.robot import Libero

SEED = 0


def main() -> None:
    """Run every task asked for, one after the other; the file is written anew after each."""
    parser = argparse.ArgumentParser(description="Success of LIBERO's scripted expert.")
    parser.add_argument("--task", action="append", required=True, help="e.g. libero_object/0")
    parser.add_argument("--starts", default="0-49", help="a range of start states, both ends in")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    first, _, last = asked.starts.partition("-")
    starts = range(int(first), int(last or first) + 1)
    robot = Libero(RobotSettings(name="libero", image_px=84), cameras=())
    report: dict[str, object] = {
        "command": shlex.join(["python", *sys.argv]),
        "commit": _commit(),
        "seeds": [SEED],
        "starts": asked.starts,
        "machine": f"{platform.machine()}, python {platform.python_version()}, no cameras",
        "interval": "Wilson, 95 %",
    }
    rows = []
    try:
        for name in asked.task:
            rows.append(_row(robot, _card(robot, name), starts))
            sys.stdout.write(json.dumps(rows[-1]) + "\n")
            sys.stdout.flush()
            asked.out.parent.mkdir(parents=True, exist_ok=True)
            asked.out.write_text(json.dumps({**report, "rows": rows}, indent=1) + "\n")
    finally:
        robot.close()


def wilson(won: int, tried: int, z: float = 1.96) -> tuple[float, float]:
    """Give the interval of a success rate (Wilson 1927, score interval)."""
    rate, square = won / tried, z * z / tried
    middle = (rate + square / 2) / (1 + square)
    half = z * math.sqrt(rate * (1 - rate) / tried + square / (4 * tried)) / (1 + square)
    return middle - half, middle + half


def _row(robot: Libero, card: TaskCard, starts: range) -> dict[str, object]:
    expert = LiberoExpert(robot)
    won_steps, lost, steps = [], [], 0
    wall_s = cpu_s = 0.0
    for start in starts:
        view = robot.reset(Task(card.name, card.instruction, start, card.horizon_steps, SEED))
        wall, cpu, ending, taken = time.monotonic(), time.process_time(), None, 0
        while ending is None:
            (decision,) = expert.act([view], temperature=1.0)
            reading = robot.step(decision.actions)
            view, ending, taken = reading.observation, reading.ending, taken + 1
        wall_s += time.monotonic() - wall
        cpu_s += time.process_time() - cpu
        steps += taken
        if isinstance(ending, Terminated):
            won_steps.append(taken)
        else:
            lost.append(start)
    low, high = wilson(len(won_steps), len(starts))
    return {
        "task": card.name,
        "instruction": card.instruction,
        "k": len(won_steps),
        "n": len(starts),
        "low": round(low, 3),
        "high": round(high, 3),
        "mean_steps": round(sum(won_steps) / len(won_steps), 1) if won_steps else None,
        "failed_starts": lost,
        "wall_ms_per_control_step": round(1000 * wall_s / steps, 1),
        "cpu_ms_per_control_step": round(1000 * cpu_s / steps, 1),
    }


def _card(robot: Libero, name: str) -> TaskCard:
    for card in robot.tasks():
        if card.name == name:
            return card
    raise UsageError(f"LIBERO has no task {name!r}; try libero_object/0")


def _commit() -> str:
    git = ["git", "rev-parse", "HEAD"]
    found = subprocess.run(git, capture_output=True, text=True, check=False)  # noqa: S603
    return found.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
