"""Speed of the agent: control steps, decisions, updates, and its own overhead between them.

    python -m benchmarks.speed --checkpoint agent/policy/shipped/tabletop --out results/speed.json

Each figure stands beside a reference measured in the same process in turn with it: MuJoCo's step
alone for the simulator, a float32 matrix product for the policy and the update. Medians over
rounds. `cpu_ms` is processor time, which a busy machine favours less than `wall_ms`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

import mujoco
import numpy as np
import torch

from agent.episode import Action, Observation, Task
from agent.learn.ppo import PPOLearner
from agent.policy.policy import VLAPolicy
from agent.settings import LearnSettings, RobotSettings
from benchmarks import setting
from benchmarks.stopwatch import Spent, Work, median_of, spent_on
from benchmarks.timed_episodes import Lap, record
from sim.tabletop.catalog import CARDS
from sim.tabletop.robot import Tabletop
from sim.tabletop.world import SUBSTEPS

SIDE = 512  # of the reference's square matrices
STEPS = 48  # control steps a round
BATCH = 16
EPISODES = 8  # the default number between updates


def main() -> None:
    """Measure everything and write it as JSON."""
    parser = argparse.ArgumentParser(description="Speed of simulator, policy, update and agent.")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--scratch", type=Path, default=None, help="disk to record on")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    policy = VLAPolicy(asked.checkpoint, threads=1)
    seeing, blind = Tabletop(RobotSettings()), Tabletop(RobotSettings(), cameras=())
    try:
        figures = _steady(policy, seeing, blind, asked.rounds)
        with tempfile.TemporaryDirectory(dir=asked.scratch) as folder:
            figures |= _deployed(policy, Path(folder))
    finally:
        seeing.close()
        blind.close()
    report = {
        "command": setting.command("speed"),
        "commit": setting.commit(),
        "machine": {
            **setting.machine("torch", "transformers", "mujoco", "zarr"),
            "torch_threads": torch.get_num_threads(),
            "load": round(os.getloadavg()[0], 2),
        },
        "rounds": asked.rounds,
        "reference": {
            "physics": f"mj_step of the same model, {SUBSTEPS} to a control step",
            "matmul": f"one {SIDE} x {SIDE} x {SIDE} float32 product in torch, same threads",
        },
        **figures,
    }
    text = json.dumps(report, indent=2) + "\n"
    if asked.out:
        asked.out.write_text(text)
    sys.stdout.write(text)


def _steady(policy: VLAPolicy, seeing: Tabletop, blind: Tabletop, rounds: int) -> dict[str, object]:
    """Control steps and decisions, each in turn with its reference."""
    blind.reset(_task(0))
    chunk = len(policy.act([seeing.reset(_task(0))], 1.0)[0].actions)
    views = [seeing.reset(_task(number)) for number in range(BATCH)]
    spent: dict[str, list[Spent]] = {}
    for number in range(rounds):
        for name, work, count in _round(policy, seeing, blind, views, chunk):
            (seeing if "drawn" in name else blind).reset(_task(number))
            spent.setdefault(name, []).append(spent_on(work).per(count))
    medians = {name: median_of(each) for name, each in spent.items()}
    physics, matmul = medians["physics"], medians["matmul"]
    return {
        "actions_a_decision": chunk,
        "control_step": {
            "drawn": _row(medians["step_drawn"], physics),
            "not_drawn": _row(medians["step"], physics),
            "physics_alone": _row(physics, physics),
        },
        "decision": {
            "batch_1": _row(medians["decide_1"], matmul),
            f"batch_{BATCH}": _row(medians["decide_batch"], matmul),
            "matmul": _row(matmul, matmul),
        },
    }


def _round(
    policy: VLAPolicy, seeing: Tabletop, blind: Tabletop, views: list[Observation], chunk: int
) -> list[tuple[str, Work, int]]:
    """Every piece of work of a round, and how many of its things it does."""
    still = [Action(np.zeros(6, np.float32), 1.0)] * chunk
    model, data = blind.world.model, blind.world.data
    one, other = torch.randn(SIDE, SIDE), torch.randn(SIDE, SIDE)

    def step(robot: Tabletop) -> None:
        for _ in range(STEPS // chunk):
            robot.step(still)

    def physics() -> None:
        for _ in range(STEPS * SUBSTEPS):
            mujoco.mj_step(model, data)

    return [
        ("physics", physics, STEPS),
        ("step", lambda: step(blind), STEPS // chunk * chunk),
        ("step_drawn", lambda: step(seeing), STEPS // chunk * chunk),
        ("matmul", lambda: [one @ other for _ in range(4)], 4),
        ("decide_1", lambda: [policy.act(views[:1], 1.0) for _ in range(4)], 4),
        ("decide_batch", lambda: policy.act(views, 1.0), BATCH),
    ]


def _deployed(policy: VLAPolicy, folder: Path) -> dict[str, object]:
    """Overhead between policy and robot over recorded episodes, and the update made of them."""
    # Half in the world the policy knows, half in another: an update wants both outcomes.
    known, shifted = Tabletop(RobotSettings()), Tabletop(RobotSettings(shift={"rotate": 0.8}))
    learner = PPOLearner(policy, LearnSettings(), seed=0)
    try:
        worlds = [known, shifted] * (EPISODES // 2)
        attempts = [(robot, _task(number)) for number, robot in enumerate(worlds)]
        episodes, laps = record(policy, attempts, folder)
    finally:
        known.close()
        shifted.close()
    observed = spent_on(lambda: [learner.observe(scored) for scored in episodes])
    updated = spent_on(lambda: learner.update(episodes, 1, folder / "candidate"))
    decisions = sum(len(scored.episode.steps) for scored in episodes)
    return {
        "update": {
            "episodes": len(episodes),
            "decisions": decisions,
            "observe_seconds": round(observed.wall_s, 3),
            "update_seconds": round(updated.wall_s, 3),
            "observe_cpu_seconds": round(observed.cpu_s, 3),
            "update_cpu_seconds": round(updated.cpu_s, 3),
        },
        "overhead": _overhead(laps),
    }


def _overhead(laps: list[Lap]) -> dict[str, object]:
    """What the agent adds outside policy and physics, store included."""
    wall_ms = [1e3 * lap.between_s / lap.control_steps for lap in laps]
    cpu_ms = [1e3 * lap.between_cpu_s / lap.control_steps for lap in laps]
    whole_s = sum(lap.between_s + lap.policy_s + lap.robot_s for lap in laps)
    return {
        "decisions": len(laps),
        "control_steps": sum(lap.control_steps for lap in laps),
        "control_step_wall_ms": _quantiles(wall_ms),
        "control_step_cpu_ms": _quantiles(cpu_ms),
        "share_of_episode": round(sum(lap.between_s for lap in laps) / whole_s, 4),
    }


def _quantiles(values: list[float]) -> dict[str, float]:
    cut = statistics.quantiles(values, n=100)
    return {"p50": round(cut[49], 4), "p99": round(cut[98], 4), "most": round(max(values), 4)}


def _row(spent: Spent, reference: Spent) -> dict[str, float]:
    return {
        "per_s": round(1 / spent.wall_s, 1),
        "wall_ms": round(1e3 * spent.wall_s, 4),
        "cpu_ms": round(1e3 * spent.cpu_s, 4),
        "to_reference": round(spent.cpu_s / reference.cpu_s, 3),
    }


def _task(number: int) -> Task:
    card = next(card for card in CARDS if card.name == "lift-red-cube")
    start = card.train[number % len(card.train)]
    return Task(card.name, card.instruction, start, card.horizon_steps, seed=number)


if __name__ == "__main__":
    main()
