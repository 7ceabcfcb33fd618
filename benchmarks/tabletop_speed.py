"""Measures the tabletop: milliseconds a control step, a picture, a reset, and physics alone.

    python -m benchmarks.tabletop_speed --out results/tabletop_speed.json

The reference is MuJoCo alone: the same model stepped in a plain loop from the same start states,
with constant torques that hold the arm. Each figure is the median over rounds that take turns, in
processor time of all threads, so that a busy machine does not favour either side.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import mujoco
import numpy as np

from agent.episode import Action, Task
from agent.settings import RobotSettings
from sim.tabletop.catalog import CARDS, CONTROL_HZ
from sim.tabletop.expert import TabletopExpert
from sim.tabletop.robot import Tabletop
from sim.tabletop.world import SUBSTEPS

STEPS = 50  # a round: one task, one start state


def main() -> None:
    """Run rounds over the tasks and start states in turn; write the medians as JSON."""
    parser = argparse.ArgumentParser(description="Speed of the embedded simulator.")
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--image-px", type=int, default=96)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    blind = Tabletop(RobotSettings(), cameras=())
    seeing = Tabletop(RobotSettings(image_px=asked.image_px))
    seeing.reset(_task(0))  # MuJoCo and the drawing context are loaded before the clock runs
    rounds = [_round(blind, seeing, number) for number in range(asked.rounds)]
    blind.close()
    seeing.close()
    figures = {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
    report = {
        "command": " ".join(["python -m benchmarks.tabletop_speed", *sys.argv[1:]]),
        "rounds": asked.rounds,
        "image_px": asked.image_px,
        "cpu_ms": figures,
        "control_step_to_reference": figures["control_step"] / figures["reference_step"],
        "machine": {
            "python": platform.python_version(),
            "mujoco": mujoco.__version__,
            "cores": os.cpu_count(),
            "load": os.getloadavg()[0],
        },
    }
    text = json.dumps(report, indent=2) + "\n"
    if asked.out:
        asked.out.write_text(text)
    sys.stdout.write(text)


def _task(number: int) -> Task:
    card = CARDS[number % len(CARDS)]
    return Task(card.name, card.instruction, number % 100, 10_000)


def _round(blind: Tabletop, seeing: Tabletop, number: int) -> dict[str, float]:
    """Processor milliseconds of everything, once each."""
    task = _task(number)
    view = blind.reset(task)
    expert = TabletopExpert(blind)
    actions: list[Action] = []
    for _ in range(STEPS):  # recorded beforehand: the expert's own time does not count
        (decision,) = expert.act([view], 0.0)
        actions += decision.actions
        if blind.step(decision.actions).ending:
            break
    blind.reset(task)
    stepping = _cpu_ms(lambda: blind.step(actions)) / len(actions)
    reference = _reference_ms(blind, task, len(actions))
    reset = _cpu_ms(lambda: seeing.reset(task))
    blind_reset = _cpu_ms(lambda: blind.reset(task))
    return {
        "control_step": stepping,
        "reference_step": reference,
        "picture": (reset - blind_reset) / len(seeing.card.cameras),
        "reset": reset,
        "reset_without_pictures": blind_reset,
    }


def _reference_ms(robot: Tabletop, task: Task, steps: int) -> float:
    """The same model from the same start: mj_step alone, as often as a control step does."""
    robot.reset(task)
    model, data = robot.world.model, robot.world.data
    data.ctrl[:7] = data.qfrc_bias[:7]

    def loop() -> None:
        for _ in range(steps * SUBSTEPS):
            mujoco.mj_step(model, data)

    if not np.isclose(SUBSTEPS * model.opt.timestep, 1 / CONTROL_HZ):
        raise ValueError("the reference wants as many substeps as make a control step")
    return _cpu_ms(loop) / steps


def _cpu_ms(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return 1e3 * (time.process_time() - began)


if __name__ == "__main__":
    main()
