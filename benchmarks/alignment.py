"""What alignment repairs: greedy success under visual shifts, before and after it.

    python -m benchmarks.alignment --task lift-red-cube --episodes 8 24 --states 50
        --shift light=0.5 --shift colour=0.15 --out results/alignment.json

A row is one shift, task and number of episodes: the policy on held-out states of the shifted world
before and after it was aligned by where so many episodes of training states began, and on the same
states of the unshifted world with that correction in force. Rows in the file are not made again.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from agent import durable
from agent.cli.shipped import SHIPPED
from agent.configuration import parse_shift
from agent.curriculum import choose_cards, next_task, tasks_of
from agent.deployment import compare, score
from agent.episode import Episode, Task, TaskCard, Truncated
from agent.evaluation import Trial, try_tasks
from agent.learn.aligner import ViewAligner
from agent.learn.ledger import BASE
from agent.policy.policy import VLAPolicy
from agent.protocols import Robot
from agent.registry import make_robot
from agent.settings import LearnSettings, RobotSettings
from benchmarks import setting

log = logging.getLogger(__name__)

KEY = ("task", "shift", "episodes", "seed")


@dataclass(slots=True)
class Bench:
    """One policy, and what was tried with it so far, by shift and task."""

    policy: VLAPolicy
    states: int
    tried: dict[tuple[str, str], tuple[Trial, ...]] = field(default_factory=dict)

    def row(self, task: str, shift: str, episodes: int, seed: int) -> dict[str, Any]:
        """Try, align, and try again."""
        before, unshifted = self._base(shift, task), self._base("", task)
        robot, card = _world(shift, task)
        try:
            began = [_began(robot, card, seed, number) for number in range(episodes)]
            aligner = ViewAligner(self.policy, LearnSettings(), seed)
            with tempfile.TemporaryDirectory() as scratch:
                found = aligner.align(began, Path(scratch) / "aligned")
                if found.made:
                    self.policy.load(Path(scratch) / "aligned", "aligned")
            after = self._tries(robot, card) if found.made else before
        finally:
            robot.close()
        there = self._at(task) if found.made else unshifted
        self.policy.load(None, BASE)
        return {
            "task": task, "shift": parse_shift(shift), "episodes": episodes, "seed": seed,
            "aligned": found.made, "why": found.why, "metrics": dict(found.metrics),
            "before": asdict(score(before)), "after": asdict(score(after)),
            "paired_p": compare(before, after).p_value,
            "unshifted_before": asdict(score(unshifted)), "unshifted_after": asdict(score(there)),
        }  # fmt: skip

    def _base(self, shift: str, task: str) -> tuple[Trial, ...]:
        if (shift, task) not in self.tried:
            self.policy.load(None, BASE)
            self.tried[shift, task] = self._at(task, shift)
        return self.tried[shift, task]

    def _at(self, task: str, shift: str = "") -> tuple[Trial, ...]:
        robot, card = _world(shift, task)
        try:
            return self._tries(robot, card)
        finally:
            robot.close()

    def _tries(self, robot: Robot, card: TaskCard) -> tuple[Trial, ...]:
        return try_tasks(robot, self.policy, tasks_of([card], "held_out", self.states))


def main() -> None:
    """Make the rows that are missing; each is on disk at once."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    asked = _asked()
    report = _opened(asked.out, asked.states)
    done = {_key(row) for row in report["rows"]}
    bench = Bench(VLAPolicy(asked.checkpoint), asked.states)
    for task, shift, episodes in product(asked.task, asked.shift, asked.episodes):
        named = {"task": task, "shift": parse_shift(shift), "episodes": episodes}
        if _key(named | {"seed": asked.seed}) in done:
            continue
        row = bench.row(task, shift, episodes, asked.seed)
        report["rows"].append(row)
        report |= {"commit": setting.commit(), "machine": setting.machine("torch", "mujoco")}
        durable.write_text(asked.out, json.dumps(report, indent=1) + "\n")
        won = f"{row['before']['k']} to {row['after']['k']} of {asked.states}"
        log.info("%s %s by %d: %s; %s", task, shift, episodes, won, row["why"])


def _world(shift: str, task: str) -> tuple[Robot, TaskCard]:
    robot = make_robot(RobotSettings(shift=parse_shift(shift)))
    (card,) = choose_cards(robot.tasks(), task)
    return robot, card


def _began(robot: Robot, card: TaskCard, seed: int, number: int) -> Episode:
    """An episode of which only the start is known, drawn as a run draws it."""
    task: Task = next_task([card], {}, (seed, number))
    return Episode(
        f"{number:06d}", task, BASE, 1.0, (), robot.reset(task), Truncated("stopped")
    )  # fmt: skip


def _key(row: Mapping[str, Any]) -> str:
    return json.dumps([row[name] for name in KEY], sort_keys=True)


def _opened(out: Path, states: int) -> dict[str, Any]:
    if not out.exists():
        return {"command": setting.command("alignment"), "states": states, "rows": []}
    found: dict[str, Any] = json.loads(out.read_text())
    if found["states"] != states:
        sys.exit(f"{out} holds tries on {found['states']} states, not {states}: name another file")
    return found | {"command": setting.command("alignment")}


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.alignment")
    parser.add_argument("--checkpoint", type=Path, default=SHIPPED)
    parser.add_argument("--task", nargs="+", default=["lift-red-cube"])
    parser.add_argument("--shift", action="append", required=True, help="'' is the unshifted world")
    parser.add_argument("--episodes", nargs="+", type=int, default=[8, 24])
    parser.add_argument("--states", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
