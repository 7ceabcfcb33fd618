"""Whether a run of thousands of episodes stays flat: memory, open files, seconds an update.

    python -m benchmarks.soak --episodes 5000 --scratch scratch/soak --out results/soak.json

The table-top's reach, cut short so that about half of the episodes fail, with the shipped policy
and every part of a usual run: store, sentinel, critic, replay, gate. The step size is next to
nothing, so that the work stays what it is. Kept in a run folder: begun again, it goes on.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import torch

from agent import durable
from agent.cli.build import make_cards, make_parts, make_policy
from agent.configuration import resolve, to_dict
from agent.policy.policy import VLAPolicy
from agent.registry import make_robot
from agent.session import Acted, Event, Session, Updated
from agent.settings import Settings
from agent.store.run import RUN, create_run
from benchmarks import setting

log = logging.getLogger(__name__)

SETS = (
    "robot.task=reach-red-cube", "run.held_out=0", "learn.every_episodes=20", "learn.rank=4",
    "learn.learning_rate=1e-7", "learn.epochs=1", "learn.memory=2048", "learn.replay=16",
    "learn.clone_weight=0.1", "run.seed=0",
)  # fmt: skip
EVERY = 100  # episodes from one look to the next
BLOCK = 1000  # episodes that are added up in a row of the page


@dataclass(slots=True)
class Watched:
    """What has been seen since the last look, and all looks so far."""

    rows: list[dict[str, Any]]
    out: Path
    kept: Path
    process: int
    began_s: float
    update_s: list[float]
    critic_decisions: float = 0.0

    def take(self, event: Event) -> None:
        """Count an event; every so many episodes, look and write everything down."""
        if isinstance(event, Updated):
            self.update_s.append(event.report.metrics.get("update/seconds", 0.0))
            self.critic_decisions = event.report.metrics.get("critic/decisions", 0.0)
        elif isinstance(event, Acted) and (event.number + 1) % EVERY == 0:
            self._look(event.number + 1)

    def _look(self, episodes: int) -> None:
        now_s = time.monotonic()
        self.rows.append(
            {
                "episodes": episodes,
                "process": self.process,
                "rss_mb": round(resident_mb(), 1),
                "open_files": len(list(Path("/proc/self/fd").iterdir())),
                "threads": len(list(Path("/proc/self/task").iterdir())),
                "updates": len(self.update_s),
                "update_s": round(median(self.update_s), 3) if self.update_s else None,
                "critic_decisions": self.critic_decisions,
                "minutes": round((now_s - self.began_s) / 60.0, 2),
            }
        )
        self.began_s, self.update_s = now_s, []
        log.info("%s", self.rows[-1])
        durable.write_text(self.kept, json.dumps(self.rows))
        write(self.out, self.rows)


def main() -> None:
    """Run what is missing of so many episodes."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    log.setLevel(logging.INFO)
    asked = _asked()
    folder, kept = asked.scratch / "run", asked.scratch / "looks.json"
    settings = resolve(sets=[*SETS, f"run.episodes={asked.episodes}", *asked.set]).settings
    if not (folder / RUN).exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        create_run(folder, to_dict(settings), {})
    rows: list[dict[str, Any]] = json.loads(kept.read_text()) if kept.exists() else []
    torch.set_num_threads(1)
    policy = make_policy(settings)
    act(settings, folder, policy, asked.horizon, Watched(
        rows, asked.out, kept, 1 + max((row["process"] for row in rows), default=0),
        time.monotonic(), [],
    ))  # fmt: skip


def act(
    settings: Settings, folder: Path, policy: VLAPolicy, horizon: int, watched: Watched
) -> None:
    """Act and learn in this process to the last episode, looking at it now and then."""
    robot = make_robot(settings.robot)
    parts = make_parts(settings, folder, robot, policy)
    try:
        cards = [replace(card, horizon_steps=horizon) for card in make_cards(settings, robot)]
        session = Session(settings, parts, cards, watched.take)
        session.open()
        watched.began_s = time.monotonic()
        session.run(float("inf"))
    finally:
        parts.store.close()
        robot.close()


def resident_mb() -> float:
    """Memory of this process that is in use now, 10^6 bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def blocks(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row a thousand episodes; the last one may hold fewer."""
    found = []
    for at in range(0, rows[-1]["episodes"], BLOCK):
        mine = [row for row in rows if at < row["episodes"] <= at + BLOCK]
        if not mine:
            continue
        seconds = [row["update_s"] for row in mine if row["update_s"] is not None]
        found.append(
            {
                "episodes": f"{at + 1} to {mine[-1]['episodes']}",
                "rss_mb_median": median(row["rss_mb"] for row in mine),
                "rss_mb_most": max(row["rss_mb"] for row in mine),
                "open_files_most": max(row["open_files"] for row in mine),
                "threads_most": max(row["threads"] for row in mine),
                "updates": sum(row["updates"] for row in mine),
                "update_s_median": round(median(seconds), 3) if seconds else None,
                "critic_decisions": mine[-1]["critic_decisions"],
                "minutes": round(sum(row["minutes"] for row in mine), 1),
                "processes": len({row["process"] for row in mine}),
            }
        )
    return found


def write(out: Path, rows: list[dict[str, Any]]) -> None:
    """The results file, whole at every time."""
    report = {
        "command": setting.command("soak"),
        "commit": setting.commit(),
        "machine": setting.machine("torch", "mujoco", "zarr"),
        "settings": list(SETS),
        "thousands": blocks(rows),
        "looks": rows,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    durable.write_text(out, json.dumps(report, indent=1) + "\n")


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A run of thousands of episodes, watched.")
    parser.add_argument("--episodes", type=int, default=5000)
    parser.add_argument("--horizon", type=int, default=16, help="control steps an episode")
    parser.add_argument("--set", action="append", default=[], metavar="TABLE.KEY=VALUE")
    parser.add_argument("--scratch", type=Path, default=Path("scratch/soak"))
    parser.add_argument("--out", type=Path, default=Path("results/soak.json"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
