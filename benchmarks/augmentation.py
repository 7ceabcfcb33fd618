"""Whether a policy cloned with changed pictures bears visual shifts: checkpoints side by side.

    python -m benchmarks.augmentation --checkpoint shipped=agent/policy/shipped/tabletop
        --checkpoint plain=scratch/plain --checkpoint augmented=scratch/augmented
        --shift '' --shift light=0.5 --out results/augmentation.json

A row is one task and shift: greedy success of each checkpoint on the same held-out states. Rows in
the file are not made again.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

from agent import durable
from agent.configuration import parse_shift
from agent.curriculum import choose_cards, tasks_of
from agent.deployment import score
from agent.evaluation import try_tasks
from agent.policy.policy import VLAPolicy
from agent.registry import make_robot
from agent.settings import RobotSettings
from benchmarks import setting

log = logging.getLogger(__name__)


def main() -> None:
    """Make the rows that are missing; each is on disk at once."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    asked = _asked()
    named = dict(each.split("=", 1) for each in asked.checkpoint)
    report = _opened(asked.out, asked.states, sorted(named))
    done = {_key(row["task"], row["shift"]) for row in report["rows"]}
    policies = {name: VLAPolicy(Path(folder)) for name, folder in named.items()}
    for task, shift in product(asked.task, asked.shift):
        if _key(task, parse_shift(shift)) in done:
            continue
        scores = {name: _tried(policies[name], task, shift, asked.states) for name in named}
        report["rows"].append({"task": task, "shift": parse_shift(shift), "scores": scores})
        report |= {"commit": setting.commit(), "machine": setting.machine("torch", "mujoco")}
        durable.write_text(asked.out, json.dumps(report, indent=1) + "\n")
        told = ", ".join(f"{name} {each['k']}" for name, each in scores.items())
        log.info("%s %s: of %d %s", task, shift or "unshifted", asked.states, told)


def _tried(policy: VLAPolicy, task: str, shift: str, states: int) -> dict[str, Any]:
    robot = make_robot(RobotSettings(shift=parse_shift(shift)))
    try:
        cards = choose_cards(robot.tasks(), task)
        return asdict(score(try_tasks(robot, policy, tasks_of(cards, "held_out", states))))
    finally:
        robot.close()


def _key(task: str, shift: dict[str, float]) -> str:
    return json.dumps([task, shift], sort_keys=True)


def _opened(out: Path, states: int, names: list[str]) -> dict[str, Any]:
    told = {"command": setting.command("augmentation"), "states": states, "checkpoints": names}
    if not out.exists():
        return told | {"rows": []}
    found: dict[str, Any] = json.loads(out.read_text())
    if (found["states"], found["checkpoints"]) != (states, names):
        sys.exit(f"{out} holds tries of other checkpoints or states: name another file")
    return found | told


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.augmentation")
    parser.add_argument("--checkpoint", action="append", required=True, metavar="NAME=FOLDER")
    parser.add_argument("--task", nargs="+", default=["lift-red-cube"])
    parser.add_argument("--shift", action="append", required=True, help="'' is the unshifted world")
    parser.add_argument("--states", type=int, default=50)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
