"""How near the simulated Franka behind ROS 2 comes to the embedded table-top it is made of.

    python -m benchmarks.franka_sim --out results/franka-sim.json

The scripted expert drives both from the same start states. Replayed: the actions it took on the
embedded arm, sent through FrankaArm, guard and simulator by the clock; told is how far the tools
are apart. Closed loop: the expert acts on what the simulator says of its world, as it does on the
embedded arm. Success is the simulator's verdict. Core shares are of the simulator's process alone,
with both cameras at 30 Hz and the state at 100 Hz.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import mujoco
import numpy as np

from agent.episode import Action, Float32Array, Task, Terminated
from agent.errors import VlarlError
from agent.protocols import Robot
from agent.registry import make_robot
from agent.settings import RobotSettings
from benchmarks import setting
from benchmarks.simulated_arm import SimulatedArm
from sim.tabletop.catalog import WISHES, Wish
from sim.tabletop.expert import TabletopExpert
from sim.tabletop.moves import best_move
from sim.tabletop.robot import Tabletop
from sim.tabletop.shifts import Shifts
from sim.tabletop.world import World

TASKS = ("lift-red-cube", "press-button", "stack-red-cube-purple-cube")
CHUNK = 4  # actions a decision, as the shipped policy's
SHARE_S = 10.0


def main() -> None:
    """Measure every task; write the report as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=20, help="held-out start states a task")
    parser.add_argument("--tasks", nargs="+", default=list(TASKS))
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    wishes = [wish for wish in WISHES if wish.name in asked.tasks]
    report = {
        "command": setting.command("franka_sim"),
        "commit": setting.commit(),
        "machine": setting.machine("mujoco"),
        "starts_a_task": asked.starts,
        "rows": [_row(wish, range(50, 50 + asked.starts)) for wish in wishes],
        "core_share": {name: _core_share(name) for name in ("kinematic", "tabletop")},
    }
    text = json.dumps(report, indent=1) + "\n"
    if asked.out:
        asked.out.write_text(text)
    sys.stdout.write(text)


def _row(wish: Wish, starts: Sequence[int]) -> dict[str, object]:
    """One task: successes of every way, and millimetres between the tools."""
    embedded = Tabletop(RobotSettings(), cameras=())
    won = {"embedded": 0, "replayed": 0, "closed_loop": 0}
    faults: list[str] = []
    apart: list[float] = []
    with _cell(wish) as (franka, watcher):
        for start in starts:
            actions, track, done = _expert(embedded, wish, start)
            won["embedded"] += done
            try:
                replayed, met = _replay(franka, wish, start, actions)
                shared = min(len(track), len(replayed))
                way = (replayed - track[:shared])[:, :3] if shared == len(replayed) else None
                apart += [] if way is None else np.linalg.norm(way, axis=1).tolist()
                won["replayed"] += met
                won["closed_loop"] += _closed_loop(franka, watcher, wish, start)
            except VlarlError as error:
                faults.append(f"start {start}: {error}")
    embedded.close()
    millimetres = 1e3 * np.percentile(apart, [50, 90, 100])
    return {
        "task": wish.name,
        "starts": len(starts),
        **{f"success_{name}": count for name, count in won.items()},
        "apart_mm": dict(zip(("p50", "p90", "most"), millimetres.round(2).tolist(), strict=True)),
        "faults": faults,
    }


@contextmanager
def _cell(wish: Wish) -> Iterator[tuple[Robot, SimulatedArm]]:
    """Simulator and guard as processes, and the robot that an agent would drive."""
    with SimulatedArm("--backend", "tabletop", listen=()) as watcher:
        os.environ["ROS_DOMAIN_ID"] = str(watcher.domain)
        guard = subprocess.Popen(
            [sys.executable, "-m", "bridges.guard", "--profile", "tabletop"],
            cwd=setting.ROOT, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        robot = make_robot(
            RobotSettings(
                name="franka", profile="tabletop", task=wish.instruction,
                horizon_steps=wish.horizon_steps,
            )
        )  # fmt: skip
        try:
            watcher.until(lambda: watcher.node.count_publishers("/vlarl/answer"), "a guard")
            time.sleep(1.0)  # the guard hears 5 times a second that the arm is no real one
            yield robot, watcher
        finally:
            robot.close()
            guard.terminate()
            guard.wait(5.0)


def _expert(robot: Tabletop, wish: Wish, start: int) -> tuple[list[Action], Float32Array, bool]:
    """The embedded run: actions, proprioception after each, and whether it succeeded."""
    expert = TabletopExpert(robot)
    view = robot.reset(Task(wish.name, wish.instruction, start, wish.horizon_steps))
    actions: list[Action] = []
    track = []
    while True:
        (decision,) = expert.act([view], 0.0)
        reading = robot.step(decision.actions)
        actions += reading.applied
        track.append(reading.track)
        view = reading.observation
        if reading.ending is not None:
            return actions, np.concatenate(track), reading.ending == Terminated("success")


def _replay(
    robot: Robot, wish: Wish, start: int, actions: Sequence[Action]
) -> tuple[Float32Array, bool]:
    """The same actions by the clock, then stillness for a second: the path, and success."""
    robot.reset(_task(robot, wish, start))
    track = []
    still = Action(np.zeros(6, np.float32), actions[-1].gripper)
    queue = [*actions, *[still] * 20][: wish.horizon_steps]
    for first in range(0, len(queue), CHUNK):
        reading = robot.step(queue[first : first + CHUNK])
        track.append(reading.track)
        if reading.ending is not None:
            met = reading.ending == Terminated("success")
            return np.concatenate(track)[: len(actions)], met
    robot.rest()
    return np.concatenate(track)[: len(actions)], False


def _closed_loop(robot: Robot, watcher: SimulatedArm, wish: Wish, start: int) -> bool:
    """The expert on the simulator's own word of where everything is, one action at a time."""
    robot.reset(_task(robot, wish, start))
    world = World(Shifts(), 16)
    while True:
        _show(world, json.loads(watcher.call("world").message))
        reading = robot.step([best_move(world, wish)])
        if reading.ending is not None:
            return reading.ending == Terminated("success")


def _show(world: World, parts: dict[str, list[float]]) -> None:
    """Put a world of one's own where the simulator's is."""
    for name, values in parts.items():
        getattr(world.data, name)[:] = values
    mujoco.mj_forward(world.model, world.data)


def _task(robot: Robot, wish: Wish, start: int) -> Task:
    (card,) = robot.tasks()
    return Task(card.name, card.instruction, start, wish.horizon_steps)


def _core_share(backend: str) -> float:
    """Processor seconds a second of the process while nobody commands it."""
    with SimulatedArm("--backend", backend) as arm:
        time.sleep(2.0)
        began_s, spent_s = time.monotonic(), _processor_s(arm.process.pid)
        time.sleep(SHARE_S)
        took_s = time.monotonic() - began_s
        return round((_processor_s(arm.process.pid) - spent_s) / took_s, 3)


def _processor_s(pid: int) -> float:
    """User and system time of a process so far; Linux tells it in clock ticks."""
    told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
