"""Runs with one known fault each, recorded with the shipped VLA at the simulated table."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from agent.cli.build import make_cards, make_parts
from agent.cli.shipped import SHIPPED
from agent.configuration import resolve, to_dict
from agent.policy.policy import VLAPolicy
from agent.registry import make_robot
from agent.session import Session
from agent.store.run import create_run

TASKS = ("lift-red-cube", "reach-red-cube", "press-button", "push-green-block")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong: a class, shifts of the world, and what was done to the checkpoint.

    statistics: q01 and q99 of all axes but the gripper. noise: standard deviations added to each
    weight of the language model.
    """

    truth: str
    shift: dict[str, float] = field(default_factory=dict)
    statistics: tuple[float, float] | None = None
    noise: float = 0.0

    @property
    def name(self) -> str:
        """In words for a file name."""
        told = [f"{key}{value:g}" for key, value in self.shift.items()]
        if self.statistics:
            told.append("q{:g}_{:g}".format(*self.statistics))
        if self.noise:
            told.append(f"noise{self.noise:g}")
        return "-".join([self.truth, *told])


def shifted(truth: str, **strengths: tuple[float, ...]) -> list[Fault]:
    """A fault for each strength of each shift."""
    return [Fault(truth, {name: s}) for name, each in strengths.items() for s in each]


FAULTS: dict[str, list[Fault]] = {
    "none": [Fault("none")],
    "camera": shifted(
        "camera",
        camera=(-0.06, 0.1), camera_up=(0.05,), camera_tilt=(3.0, -6.0), camera_pan=(-3.0, 5.0),
        camera_roll=(6.0, -12.0), wrist=(0.015,), wrist_tilt=(5.0, -8.0), wrist_roll=(8.0,),
        wrist_pan=(5.0,),
    ),
    "light": shifted(
        "light", light=(0.35, 0.5, 0.65, 1.4), noise=(12.0, 25.0), colour=(0.25, 0.5)
    ),
    "frame": shifted(
        "frame", rotate=(0.3, -0.5, 0.8, 1.6, 3.1), mirror=(1.0,), swap=(1.0,)
    ),
    "gain": shifted("gain", gain=(0.3, 0.5, 0.7, 1.5, 2.0)),
    "bias": shifted("bias", drift=(0.1, -0.14, 0.18, -0.25)),
    "delay": shifted("delay", delay=(2.0, 3.0, 4.0, 6.0)),
    "gripper": shifted("gripper", gripper=(-1.0, 0.0, 0.5)),
    "normalisation": [
        Fault("normalisation", statistics=each)
        for each in ((-0.5, 0.5), (-0.75, 0.94), (-0.3, 1.0), (-1.6, 1.6))
    ],
    "policy": [Fault("policy", noise=each) for each in (1.2, 1.6, 2.4)],
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """One run to record."""

    fault: Fault
    task: str
    seed: int

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"{self.fault.name}-{self.task}-{self.seed}"


def cases(runs: int, seed: int) -> Iterator[Case]:
    """So many runs a class, in turns over classes: strengths and tasks alternate."""
    for number in range(runs):
        for kind, faults in FAULTS.items():
            fault = faults[number % len(faults)]
            shift = seed + number // len(faults)  # so that a strength meets several tasks
            task = TASKS[(number + shift) % len(TASKS)]
            if kind == "gripper":
                task = TASKS[(number + shift) % 2]
            yield Case(fault, task, 1000 * seed + number)


def record(case: Case, parent: Path, episodes: int) -> Path:
    """Record a run, or find it recorded. The folder is whole or absent."""
    folder = parent / case.name
    if folder.is_dir():
        return folder
    staged = parent / f".{case.name}"
    shutil.rmtree(staged, ignore_errors=True)
    checkpoint = _checkpoint(case.fault, parent)
    sets = [
        f"run.episodes={episodes}", "run.update=false", "run.held_out=0", f"run.seed={case.seed}",
        f"run.out={json.dumps(str(parent))}", f"robot.task={case.task}",
    ]  # fmt: skip
    settings = resolve(None, {}, sets, []).settings
    robot_settings = settings.robot.model_copy(update={"shift": case.fault.shift})
    settings = settings.model_copy(update={"robot": robot_settings})
    create_run(staged, to_dict(settings), {})
    robot = make_robot(settings.robot)
    parts = make_parts(settings, staged, robot, _policy(checkpoint))
    try:
        session = Session(settings, parts, make_cards(settings, robot))
        session.open()
        session.run(until_s=float("inf"))
    finally:
        parts.store.close()
        robot.close()
    staged.rename(folder)
    return folder


_POLICIES: dict[Path, VLAPolicy] = {}


def _policy(checkpoint: Path) -> VLAPolicy:
    if checkpoint not in _POLICIES:
        _POLICIES[checkpoint] = VLAPolicy(checkpoint)
    return _POLICIES[checkpoint]


def _checkpoint(fault: Fault, parent: Path) -> Path:
    """The shipped checkpoint, or a copy with this fault in it."""
    if fault.statistics is None and not fault.noise:
        return SHIPPED
    folder = parent / "checkpoints" / fault.name
    if folder.is_dir():
        return folder
    staged = folder.with_name(f".{fault.name}")
    shutil.rmtree(staged, ignore_errors=True)
    shutil.copytree(SHIPPED, staged)
    if fault.statistics is not None:
        path = staged / "dataset_statistics.json"
        told = json.loads(path.read_text())
        for each in told.values():
            each["action"]["q01"][:6] = [fault.statistics[0]] * 6
            each["action"]["q99"][:6] = [fault.statistics[1]] * 6
        path.write_text(json.dumps(told))
    if fault.noise:
        path, rng = staged / "model.safetensors", np.random.default_rng(7)
        weights = load_file(path)
        for name, value in sorted(weights.items()):
            if name.startswith("language_model") and value.ndim == 2:
                drawn = rng.normal(0.0, fault.noise * float(value.std()), value.shape)
                weights[name] = (value + drawn).astype(value.dtype)
        save_file(weights, path, metadata={"format": "pt"})
    staged.rename(folder)
    return folder
