"""A cell to break things in: simulated arm, guard and agent, each in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from std_msgs.msg import String

from agent.episode import Action, Decision, Observation, Task
from agent.errors import VlarlError
from agent.rollout import run_episode
from agent.settings import RobotSettings
from agent.store.run import create_run
from agent.store.zarr_store import ZarrStore
from benchmarks.simulated_arm import SimulatedArm
from bridges.franka import FrankaArm
from calibration.profile import Profile, find, load
from sim.franka.track import Stop, stop_after

ROOT = Path(__file__).parents[1]
MOVED_M = 0.02  # far enough from where it stood to be called moving
FOUND_S = 4.0  # in which a new guard finds the arm, on a busy machine too
KNOWN = 100  # episodes that the adapter has had, so that the guard does not slow it
STEPS = 3
TRIES = 4
Wish = Callable[[int], Action]


def move(*delta: float, gripper: float = 1.0) -> Action:
    """One action; what is not given is 0."""
    return Action(np.array([*delta, *[0.0] * (6 - len(delta))], np.float32), gripper)


def to_and_fro(number: int) -> Action:
    """Sideways at most of the full scale, eight decisions each way."""
    return move(0.0, 0.8 if number // 8 % 2 == 0 else -0.8)


class Wanderer:
    """A policy that needs no model: asks `wish` for the action of each decision."""

    adapter = "base"

    def __init__(self, wish: Wish = to_and_fro) -> None:
        self.wish, self.number = wish, 0

    def seed(self, seed: int) -> None:
        """Nothing here is random."""

    def act(self, _views: Sequence[Observation], temperature: float) -> tuple[Decision, ...]:
        """One action."""
        action, none = self.wish(self.number), np.zeros(0, np.float32)
        self.number += 1
        return (Decision((action,), none.astype(np.int16), none, self.adapter, temperature),)


class Cell:
    """A Franka as the shipped profile has it, but simulated. Use as a context.

    changes: what else to replace in the profile's text. listen: topics that `arm` keeps.
    """

    def __init__(
        self, folder: Path, changes: Mapping[str, str] | None = None, listen: tuple[str, ...] = ()
    ) -> None:
        text = find("franka").read_text()
        for old, new in {"simulated = false": "simulated = true", **(changes or {})}.items():
            if old not in text:
                raise ValueError(f"{old!r} wanted in the shipped profile, it is not there")
            text = text.replace(old, new)
        self._listen = listen
        self._operator: Any = None
        self.folder, self.path = folder, folder / "cell.toml"
        self.path.write_text(text)
        self.profile: Profile = load(str(self.path))
        self.guard: subprocess.Popen[str] | None = None

    def __enter__(self) -> Cell:
        """Start arm and guard."""
        self.arm = SimulatedArm("--profile", str(self.path), listen=self._listen)
        self.arm.__enter__()
        os.environ["ROS_DOMAIN_ID"] = str(self.arm.domain)
        self.start_guard()
        self.robot = FrankaArm(
            RobotSettings(name="franka", profile=str(self.path), task="touch the mark")
        )
        (self.card,) = self.robot.tasks()
        create_run(self.folder / "run", {}, {})
        self.store = ZarrStore(self.folder / "run")
        self.store.open()
        return self

    def __exit__(self, *_: object) -> None:
        """End everything."""
        self.store.close()
        self.robot.close()
        end(self.guard)
        self.arm.__exit__(None, None, None)

    def start_guard(self) -> None:
        """Start the guard, anew where it has died."""
        self.guard = self.python("bridges.guard", "--profile", str(self.path))
        time.sleep(FOUND_S)

    def python(self, module: str, *told: str) -> subprocess.Popen[str]:
        """Start a module of ours on this cell's graph."""
        return subprocess.Popen(  # noqa: S603  our own modules
            [sys.executable, "-m", module, *told],
            cwd=ROOT, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip

    def agent(self, *told: str) -> subprocess.Popen[str]:
        """Start a whole agent with the shipped VLA, on kinematics, where it does not succeed."""
        return self.python(
            "agent.cli", "run", "--robot", "franka", "--profile", str(self.path),
            "--task", "lift the red cube", "--no-update", "--held-out", "0", "--minutes", "5",
            "--set", "robot.horizon_steps=400", "--out", str(self.folder / "runs"), *told,
        )  # fmt: skip

    def act(self, policy: Wanderer, steps: int = 60) -> str:
        """Play an episode, recorded; how it ended, or the error's name and text."""
        task = Task(self.card.name, self.card.instruction, 1, steps)
        self.robot.acting(policy.adapter, KNOWN)
        recording = self.store.begin(task, "base", 1.0)
        try:
            episode = run_episode(self.robot, policy, recording, task, 1.0)
        except VlarlError as error:
            return f"{type(error).__name__}: {error}"
        recording.abandon("only watched")
        return f"{type(episode.ending).__name__}: {episode.ending.reason}"

    def acting(self, policy: Wanderer, steps: int = 60) -> tuple[threading.Thread, list[str]]:
        """The same in a thread; the list gets what it came to."""
        said: list[str] = []
        thread = threading.Thread(target=lambda: said.append(self.act(policy, steps)))
        thread.start()
        return thread, said

    def under_way(self, steps: int = 200) -> tuple[threading.Thread, list[str]]:
        """Start an episode and wait until it moves; again where this machine was too slow for it.

        Raises TimeoutError where it never does.
        """
        for _ in range(TRIES):
            thread, said = self.acting(Wanderer(), steps)
            with suppress(TimeoutError):
                self.await_motion(30.0, thread)
                return thread, said
            thread.join()
        raise TimeoutError(f"a moving tool wanted, found {said}")

    def say(self, word: str) -> None:
        """A person says a word, and is heard."""
        if self._operator is None:
            self._operator = self.arm.node.create_publisher(String, "/vlarl/operator", 10)
            self.arm.until(lambda: self._operator.get_subscription_count() > 0, "a listener")
        self._operator.publish(String(data=word))
        time.sleep(0.5)

    def await_steps(self, runs: Path, timeout_s: float = 120.0) -> None:
        """Wait until an agent's episode has grown by some steps: its reset is no motion."""
        ends_s = time.monotonic() + timeout_s
        sizes: dict[Path, set[int]] = {}
        while not any(len(each) > STEPS for each in sizes.values()):
            if time.monotonic() > ends_s:
                raise TimeoutError("an episode under way wanted, none grew")
            for log in runs.glob("*/staging/*/steps.log"):
                sizes.setdefault(log, set()).add(log.stat().st_size)
            time.sleep(0.02)

    def await_motion(self, timeout_s: float = 60.0, thread: threading.Thread | None = None) -> None:
        """Wait until the tool is truly under way. Raises TimeoutError, or where the thread ends."""
        ends_s = time.monotonic() + timeout_s
        while time.monotonic() < ends_s and (thread is None or thread.is_alive()):
            rows = np.array(self.arm.trace()["rows"][-30:])
            if len(rows) > 1 and float(np.abs(rows[-1, 1:4] - rows[0, 1:4]).max()) > MOVED_M:
                return
            time.sleep(0.05)
        raise TimeoutError("a moving tool wanted, it stayed where it was")

    def stop(self, since_s: float) -> Stop | None:
        """How the tool came to rest after a moment."""
        return stop_after(self.arm.trace()["rows"], since_s)


def end(process: subprocess.Popen[str] | None, number: int = signal.SIGTERM) -> int | None:
    """End a process and wait for it; its exit code."""
    if process is None:
        return None
    if process.poll() is None:
        process.send_signal(number)
    try:
        process.communicate(timeout=10.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
    return process.returncode


@contextmanager
def faulty(cell: Cell, text: str) -> Iterator[float]:
    """Put a fault in force; gives the moment. It is mended afterwards."""
    since_s = time.monotonic()
    cell.arm.put(fault=text)
    try:
        yield since_s
    finally:
        cell.arm.put(fault="")
        time.sleep(0.5)
