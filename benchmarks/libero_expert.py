"""LIBERO's scripted expert over the stored start states, task by task, resumable.

    python -m benchmarks.libero_expert --out results/libero-expert.json

No pictures are drawn: the expert looks at poses, and the physics is the same without. What the
file holds already of the same code is not run again; starts are taken in strides, so that a file
written half-way speaks of every task.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from agent.episode import Task, TaskCard, Terminated
from agent.errors import UsageError
from agent.interval import wilson
from agent.settings import RobotSettings
from benchmarks import setting
from sim.libero.expert import LiberoExpert
from sim.libero.robot import Libero

SEED = 0
STARTS = 50
STRIDE = 5
SUITES = ("libero_spatial", "libero_object", "libero_goal", "libero_10")
# What the expert's moves come from.
CODE = (
    "carry", "drawer", "expert", "goals", "grasp", "knob", "motion", "places", "push", "sight",
)  # fmt: skip
FAILED = 0


def main() -> None:
    """Run what is missing; the file is written anew after each task's share of a stride."""
    parser = argparse.ArgumentParser(description="Success of LIBERO's scripted expert.")
    parser.add_argument("--task", action="append", default=[], help="e.g. libero_object/0")
    parser.add_argument("--starts", type=int, default=STARTS, help="start states a task")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    robot = Libero(RobotSettings(name="libero", image_px=84), cameras=())
    cards = [_card(robot, name) for name in asked.task] or [
        card for card in robot.tasks() if card.name.partition("/")[0] in SUITES
    ]
    code = _code()
    known = _known(asked.out, code)
    try:
        for card, starts in _shares(cards, asked.starts):
            done = known.setdefault(card.name, {})
            left = [start for start in starts if start not in done]
            for start in left:
                done[start] = _steps(robot, card, start)
            if left:
                _write(asked.out, code, cards, known)
                sys.stderr.write(f"{json.dumps(_row(card, done))}\n")
    finally:
        robot.close()


def _shares(cards: list[TaskCard], count: int) -> Iterator[tuple[TaskCard, range]]:
    for first in range(STRIDE):
        for card in cards:
            yield card, range(first, count, STRIDE)


def _steps(robot: Libero, card: TaskCard, start: int) -> int:
    """Control steps to success; FAILED also where the expert says that it knows no way."""
    expert = LiberoExpert(robot)
    view = robot.reset(Task(card.name, card.instruction, start, card.horizon_steps, SEED))
    ending, taken = None, 0
    while ending is None:
        try:
            (decision,) = expert.act([view], temperature=1.0)
        except UsageError as error:
            sys.stderr.write(f"{card.name}: {error}\n")
            return FAILED
        reading = robot.step(decision.actions)
        view, ending, taken = reading.observation, reading.ending, taken + 1
    return taken if isinstance(ending, Terminated) else FAILED


def _known(out: Path, code: str) -> dict[str, dict[int, int]]:
    if not out.exists():
        return {}
    found = json.loads(out.read_text())
    if found.get("code") != code:
        return {}
    return {
        row["task"]: {int(start): steps for start, steps in row["steps"].items()}
        for row in found["rows"]
    }


def _row(card: TaskCard, done: dict[int, int]) -> dict[str, object]:
    won = [steps for steps in done.values() if steps != FAILED]
    interval = wilson(len(won), len(done))
    return {
        "task": card.name,
        "instruction": card.instruction,
        "k": len(won),
        "n": len(done),
        "low": round(interval.low, 3),
        "high": round(interval.high, 3),
        "mean_steps": round(sum(won) / len(won), 1) if won else None,
        "failed_starts": sorted(start for start, steps in done.items() if steps == FAILED),
        "steps": {str(start): done[start] for start in sorted(done)},
    }


def _write(out: Path, code: str, cards: list[TaskCard], known: dict[str, dict[int, int]]) -> None:
    rows = [_row(card, known[card.name]) for card in cards if known.get(card.name)]
    report = {
        "command": setting.command("libero_expert"),
        "commit": setting.commit(),
        "machine": setting.machine("mujoco", "hf-libero"),
        "code": code,
        "seeds": [SEED],
        "starts": f"0-{STARTS - 1}",
        "interval": "Wilson, 95 %",
        "rows": rows,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    fresh = out.with_suffix(".new")
    fresh.write_text(json.dumps(report, indent=1) + "\n")
    fresh.replace(out)


def _code() -> str:
    """A fingerprint of the expert."""
    told = hashlib.sha256()
    for name in CODE:
        told.update((setting.ROOT / "sim" / "libero" / f"{name}.py").read_bytes())
    return told.hexdigest()[:16]


def _card(robot: Libero, name: str) -> TaskCard:
    for card in robot.tasks():
        if card.name == name:
            return card
    raise UsageError(f"LIBERO has no task {name!r}; try libero_object/0")


if __name__ == "__main__":
    main()
