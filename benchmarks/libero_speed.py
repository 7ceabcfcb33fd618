"""Control steps a second of this project's LIBERO beside its own environment and a wrapper's loop.

    python -m benchmarks.libero_speed --out results/libero-speed.json

All take turns, round by round, in two processes that do nothing else. Begun again after an end it
goes on, out of the file beside --out; about ten minutes on two quiet cores.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks import setting
from benchmarks.libero_contestants import Job, differences, serve
from benchmarks.stopwatch import Spent

CHUNK = 8  # control steps a decision
EPISODE = 100  # control steps, with the reset before them
Row = dict[str, Any]


def main() -> None:
    """Measure what has not been measured, then write the medians."""
    parser = argparse.ArgumentParser(description="Speed of LIBERO, ours and others.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tasks", default="libero_object/0,libero_spatial/0")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    tasks = asked.tasks.split(",")
    part = asked.out.with_suffix(".part")
    rows = [json.loads(line) for line in part.read_text().splitlines()] if part.exists() else []
    done = {(row["round"], row["processes"], row["key"]) for row in rows}
    pipes = _start()
    with part.open("a") as file:
        for number in range(asked.rounds):
            for processes, job in jobs(tasks, number):
                if (number, processes, job.key) in done:
                    continue
                row = _row(number, pipes[:processes], job)
                file.write(json.dumps(row) + "\n")
                file.flush()
                rows.append(row)
                sys.stderr.write(f"{number} {processes} {job.key}: {row['cpu_ms']:.1f} ms\n")
    asked.out.write_text(json.dumps(_report(asked.rounds, rows), indent=1) + "\n")
    part.unlink()


def jobs(tasks: Sequence[str], number: int) -> list[tuple[int, Job]]:
    """One round: how many processes at once, and what each does."""
    listed: list[tuple[int, Job]] = []
    for task in tasks:
        slow = Job("official", task, 128, 2, 1, 12, number)
        quick = replace(slow, steps=48)
        for px in (128, 256):
            one, both = replace(slow, px=px, cameras=1), replace(slow, px=px)
            listed += [(1, one), (1, both), (1, replace(both, who="wrapper"))]
            listed += [(1, replace(one, who="single")), (1, replace(both, who="single"))]
            for who in ("faithful", "fast"):
                listed += [
                    (1, replace(quick, who=who, px=px, cameras=cameras, chunk=chunk))
                    for cameras in (1, 2)
                    for chunk in (1, CHUNK)
                ]
        blind = replace(quick, cameras=0)
        listed += [(1, blind), (1, replace(blind, who="fast", chunk=CHUNK))]
        listed += [(2, replace(slow, who="wrapper")), (2, replace(quick, who="fast"))]
        listed += [(2, replace(quick, who="fast", chunk=CHUNK))]
    return listed


def _start() -> list[Connection]:
    """Two processes that wait for jobs, and end with this one."""
    context = multiprocessing.get_context("spawn")
    pipes = []
    for _ in range(2):
        ours, theirs = context.Pipe()
        context.Process(target=serve, args=(theirs,), daemon=True).start()
        theirs.close()
        pipes.append(ours)
    return pipes


def _row(number: int, pipes: Sequence[Connection], job: Job) -> Row:
    """Do a job in each process at once; times are of one of them, steps a second of all."""
    for pipe in pipes:
        pipe.send(job)
    found: list[tuple[Spent, Spent]] = [pipe.recv() for pipe in pipes]
    resets, steps = [reset for reset, _ in found], [step for _, step in found]
    wall_s = [reset.wall_s + EPISODE * step.wall_s for reset, step in found]
    return {
        "round": number, "processes": len(pipes), "key": job.key, **asdict(job),
        "reset_ms": 1e3 * statistics.mean(each.cpu_s for each in resets),
        "cpu_ms": 1e3 * statistics.mean(each.cpu_s for each in steps),
        "per_s": sum(1 / each.wall_s for each in steps),
        "episode_per_s": sum(EPISODE / each for each in wall_s),
    }  # fmt: skip


def _report(rounds: int, rows: Sequence[Row]) -> Row:
    """Medians over rounds, and how many times quicker than the wrapper's loop or the official."""
    keys = dict.fromkeys((row["processes"], row["key"]) for row in rows)
    medians = []
    for processes, key in keys:
        same = [row for row in rows if (row["processes"], row["key"]) == (processes, key)]
        names = ("reset_ms", "cpu_ms", "per_s", "episode_per_s")
        figures = {name: round(statistics.median(r[name] for r in same), 2) for name in names}
        kept = {k: same[0][k] for k in ("processes", "who", "task", "px", "cameras", "chunk")}
        medians.append({**kept, **figures})
    for row in medians:
        row["times"] = _times(row, medians)
        row["episode_times"] = _times(row, medians, episode=True)
    return {
        "command": setting.command("libero_speed"),
        "commit": setting.commit(),
        "machine": setting.machine("mujoco", "robosuite", "hf-libero")
        | {"load": os.getloadavg()[0]},
        "rounds": rounds,
        "chunk": CHUNK,
        "differences": {
            f"{task}, {px} px": differences(task, px)
            for task in dict.fromkeys(row["task"] for row in rows)
            for px in (128, 256)
        },
        "episode": EPISODE,
        "rows": medians,
    }


def _times(row: Row, medians: Sequence[Row], *, episode: bool = False) -> float | None:
    """Processor time of the reference that has the same pictures, over this row's."""
    others = [
        other for other in medians
        if other["who"] in {"official", "wrapper"}
        and all(other[k] == row[k] for k in ("processes", "task", "px", "cameras"))
    ]  # fmt: skip
    if not others or row["who"] in {"official", "wrapper"}:
        return None
    first = min(others, key=lambda other: other["who"])  # the official one where both are there

    def cost(each: Row) -> float:
        return float(each["cpu_ms"] + (each["reset_ms"] / EPISODE if episode else 0.0))

    return round(cost(first) / cost(row), 1)


if __name__ == "__main__":
    main()
