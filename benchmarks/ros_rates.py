"""The loop's rate through ROS: 5, 10, 20 Hz with two cameras and a state of 100 Hz.

A policy without a model acts through bridge, guard and simulated arm, three processes on real
DDS, so that what remains is the way there and back. Setpoints are sent at 50 Hz, and at 20 Hz
for a loop of 20 Hz. pictures_missing: of 30 a second, by the gaps between stamps, the worse
camera. guard_p99_ms: the guard's own figure, request to target.

    python -m benchmarks.ros_rates --out results/ros-rates.json
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agent.cadence import Pace, cadence, pace_of
from agent.episode import Task
from agent.rollout import run_episode
from benchmarks import setting
from benchmarks.ros_cell import KNOWN, Cell, Wanderer, to_and_fro
from bridges.hearing import Hearing
from bridges.messages import stamp_s

RATES_HZ = (5.0, 10.0, 20.0)
DRAWN_HZ = 30.0
PICTURES = ("agentview/color/image_raw", "eye_in_hand/color/image_raw")


def play(cell: Cell, seconds: float, control_hz: float) -> Pace:
    """One episode of so many seconds, at rest afterwards."""
    steps = round(seconds * control_hz)
    task = Task(cell.card.name, cell.card.instruction, 1, steps)
    cell.robot.acting("base", KNOWN)
    recording = cell.store.begin(task, "base", 1.0)
    episode = run_episode(cell.robot, Wanderer(to_and_fro), recording, task, 1.0)
    recording.abandon("only timed")
    return pace_of(episode)


def missing_share(stamps_s: Sequence[float]) -> float:
    """Share of pictures that did not come, out of the gaps between their stamps."""
    gaps = np.diff(np.sort(np.array(stamps_s)))
    missing = float(np.maximum(np.rint(gaps * DRAWN_HZ) - 1.0, 0.0).sum())
    return missing / (missing + len(stamps_s))


def row(control_hz: float, seconds: float) -> dict[str, Any]:
    """One rate: what was reached."""
    setpoint_hz = 20 if control_hz == 20 else 50
    changes = {
        "control_hz = 5\n": f"control_hz = {control_hz:g}\n",
        "setpoint_hz = 50\n": f"setpoint_hz = {setpoint_hz}\n",
        # Whatever the rate, full scale is the speed limit.
        "full_scale = [0.05, 0.05, 0.05": f"full_scale = {[0.25 / control_hz] * 3}"[:-1],
        "step_m = 0.01\n": f"step_m = {0.5 / setpoint_hz}\n",
    }
    with (
        tempfile.TemporaryDirectory() as folder,
        Cell(Path(folder), changes, listen=PICTURES) as cell,
        Hearing(cell.profile) as hearing,
    ):
        play(cell, 2.0, control_hz)  # what is slow once is not the loop's rate
        for messages in cell.arm.heard.values():
            messages.clear()
        pace = play(cell, seconds, control_hz)
        stamps = [[stamp_s(m) for _, m in cell.arm.heard[name].copy()] for name in PICTURES]
        hearing.listen(1.5)
        added = hearing.of("guard/status").values("request_to_target_p99_ms")
    found = cadence([pace], control_hz)
    commands = found.spans["sent to applied"]
    return {
        "wanted_hz": control_hz,
        "achieved_hz": round(found.achieved_hz, 2),
        "period_p99_ms": round(1e3 * float(np.percentile(np.diff(pace.sent_s), 99)), 1),
        "over_budget": round(found.over_budget, 3),
        "view_to_answer_p50_ms": round(1e3 * found.spans["observed to decided"].p50_s, 1),
        "command_p50_ms": round(1e3 * commands.p50_s, 2),
        "command_p99_ms": round(1e3 * commands.p99_s, 2),
        "guard_p99_ms": float(added[-1]) if added else None,
        "pictures_missing": round(max(missing_share(each) for each in stamps), 4),
        "decisions": found.decisions,
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results/ros-rates.json"))
    parser.add_argument("--seconds", type=float, default=30.0, help="an episode")
    told = parser.parse_args()
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    document = {
        "command": setting.command("ros_rates"),
        "commit": setting.commit(),
        "machine": setting.machine("ros-rclpy"),
        "rows": [row(hz, told.seconds) for hz in RATES_HZ],
    }
    told.out.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
