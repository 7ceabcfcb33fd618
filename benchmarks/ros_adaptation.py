"""A whole deployment through ROS: the table-top arm behind topics and guard, shifted, adapted.

Simulated arm (MuJoCo, in real time), guard and agent are processes of their own. The shipped VLA
is scored on held-out start states, adapts, and is scored again; every step passes the guard.

    python -m benchmarks.ros_adaptation --shift drift=0.18 --seeds 0

Real time: 196 episodes of 4 s at most take about 15 minutes a seed. A seed that is there already
is not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import setting

FOUND_S = 5.0
TASK = "lift the red cube"
KEPT = (
    "seed", "episodes", "minutes", "before", "after", "paired_p", "updates", "updates_kept",
    "adapter", "kept", "why",
)  # fmt: skip


def deploy(shift: str, seed: int, told: argparse.Namespace) -> dict[str, Any]:
    """One deployment; its outcome."""
    environment = {
        **os.environ,
        "ROS_DOMAIN_ID": str(os.getpid() % 102),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
    }
    sim = ["--backend", "tabletop", *(["--shift", shift] if shift else [])]
    with tempfile.TemporaryDirectory() as folder:
        beside = [
            _python(environment, "sim.franka", *sim),
            _python(environment, "bridges.guard", "--profile", "tabletop"),
        ]
        try:
            time.sleep(FOUND_S)
            agent = _python(
                environment, "agent.cli", "run", "--robot", "franka", "--profile", "tabletop",
                "--task", TASK, "--episodes", str(told.episodes), "--minutes", str(told.minutes),
                "--held-out", str(told.held_out), "--seed", str(seed), "--json",
                "--set", "robot.horizon_steps=80", "--set", "robot.starts=40",
                "--set", "robot.retries=10", "--out", folder,
            )  # fmt: skip
            said, _ = agent.communicate()
            if agent.returncode:
                raise SystemExit(agent.returncode)
        finally:
            for process in reversed(beside):
                process.terminate()
                process.wait(10.0)
    outcome = json.loads(said)
    return {"shift": shift, **{key: outcome[key] for key in KEPT}}


def main() -> None:
    """Run what is missing and write after each seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results/ros-adaptation.json"))
    parser.add_argument("--shift", default="drift=0.18")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--episodes", type=int, default=96)
    parser.add_argument("--held-out", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=60.0)
    told = parser.parse_args()
    rows = json.loads(told.out.read_text())["rows"] if told.out.exists() else []
    for seed in told.seeds:
        if any((row["shift"], row["seed"]) == (told.shift, seed) for row in rows):
            continue
        rows.append(deploy(told.shift, seed, told))
        document = {
            "command": setting.command("ros_adaptation"),
            "commit": setting.commit(),
            "machine": setting.machine("torch", "mujoco", "ros-rclpy"),
            "task": TASK,
            "rows": rows,
        }
        told.out.write_text(json.dumps(document, indent=1) + "\n")


def _python(environment: dict[str, str], module: str, *told: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603  our own modules
        [sys.executable, "-m", module, *told],
        cwd=setting.ROOT, env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


if __name__ == "__main__":
    main()
