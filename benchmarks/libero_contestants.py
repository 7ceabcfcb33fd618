"""Who is timed on LIBERO: its own environment, a wrapper's loop around it, and this project's."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any, Protocol

import numpy as np

from agent.episode import Action, Task
from agent.settings import RobotSettings
from benchmarks.stopwatch import Spent, spent_on
from sim.libero.install import load_libero, numpy_seed
from sim.libero.look import CAMERAS
from sim.libero.robot import Libero
from sim.libero.starts import read_starts
from sim.libero.tasks import SETTLING_STEPS, STARTS, find_pin

Moves = np.ndarray[Any, np.dtype[np.float32]]
STILL = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0]


@dataclass(frozen=True, slots=True)
class Job:
    """One measurement. who: a name in KINDS. chunk: steps a picture."""

    who: str
    task: str
    px: int
    cameras: int
    chunk: int
    steps: int
    start: int

    @property
    def key(self) -> str:
        """What is measured, whatever the start state."""
        return f"{self.who} {self.task} {self.px}px {self.cameras}cam chunk{self.chunk}"


class Contestant(Protocol):
    """An environment that is timed: built, brought to a start state, stepped."""

    def reset(self, start: int) -> None:
        """Go to a stored start state, settle, and look."""

    def step(self, moves: Moves) -> None:
        """Carry out moves (n, 7), LIBERO's own, and look at least once."""

    def close(self) -> None:
        """Let go of everything."""


class Official:
    """hf-libero's own environment; a step returns every camera's picture, there is no other."""

    def __init__(self, job: Job) -> None:
        names = list(CAMERAS.values())[: job.cameras]
        pin = find_pin(job.task)
        self._starts = read_starts(pin.starts())
        told: dict[str, Any] = {"camera_heights": job.px, "camera_widths": job.px}
        made = load_libero("", "egl")
        if not names:
            made = importlib.import_module("libero.libero.envs.env_wrapper").ControlEnv
            told = {"use_camera_obs": False, "has_offscreen_renderer": False}
        else:
            told["camera_names"] = names
        with numpy_seed(0):
            self.env = made(bddl_file_name=str(pin.bddl()), **told)

    def reset(self, start: int) -> None:
        """A reset, a stored start state and the settling steps, as every evaluation has them."""
        with numpy_seed(start):
            self.env.reset()
        self.env.set_init_state(self._starts[start])
        for _ in range(SETTLING_STEPS):
            self.env.step(STILL)

    def step(self, moves: Moves) -> None:
        """Step by step; pictures come with each."""
        for move in moves:
            self.env.step(move)

    def close(self) -> None:
        """Let go of it."""
        self.env.close()


class Single(Official):
    """The same with one sample a pixel, as our fast pictures have."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        # It is read by the next reset, which builds the scene anew.
        once = '<visual><quality offsamples="0"/></visual></mujoco>'
        self.env.env.set_xml_processor(lambda xml: xml.replace("</mujoco>", once))


class Wrapper(Official):
    """A gymnasium-like loop as LeRobot's: upright copies of all pictures, state and verdict."""

    def step(self, moves: Moves) -> None:
        """Step by step; each gives an observation of its own."""
        for move in moves:
            seen = self.env.step(move)[0]
            self.view = {
                "pixels": {
                    name: np.ascontiguousarray(seen[f"{name}_image"][::-1, ::-1])
                    for name in CAMERAS.values()
                },
                "agent_pos": np.concatenate([
                    seen["robot0_eef_pos"], seen["robot0_eef_quat"], seen["robot0_gripper_qpos"],
                ]),
                "is_success": self.env.check_success(),
            }  # fmt: skip


class Ours:
    """The LIBERO of this project behind the Robot seam; pictures come once a decision."""

    def __init__(self, job: Job) -> None:
        pictures = "fast" if job.who == "fast" else "faithful"
        settings = RobotSettings(name="libero", image_px=job.px, pictures=pictures)
        self._robot = Libero(settings, tuple(CAMERAS)[: job.cameras])
        self._task = job.task

    def reset(self, start: int) -> None:
        """A stored start state, settled, and a first look."""
        self._robot.reset(Task(self._task, "", start, 10_000, seed=start))

    def step(self, moves: Moves) -> None:
        """One decision's actions, one look."""
        self._robot.step([Action(m[:6], 1.0 if m[6] < 0 else 0.0) for m in moves])

    def close(self) -> None:
        """Let go of it."""
        self._robot.close()


KINDS: dict[str, Callable[[Job], Contestant]] = {
    "official": Official, "single": Single, "wrapper": Wrapper, "faithful": Ours, "fast": Ours,
}  # fmt: skip


def serve(pipe: Connection) -> None:
    """Do jobs until nobody is there to ask. What a process pays once is paid before the first."""
    paid = False
    while True:
        try:
            job: Job = pipe.recv()
        except EOFError:
            return
        if not paid:
            for who in ("official", "fast"):
                measure(replace(job, who=who, cameras=1, chunk=1, steps=2))
            paid = True
        pipe.send(measure(job))


def measure(job: Job) -> tuple[Spent, Spent]:
    """Time a reset, and a control step."""
    contestant = KINDS[job.who](job)
    moves = np.random.default_rng(job.start).uniform(-0.5, 0.5, (job.steps, 7)).astype(np.float32)
    if isinstance(contestant, Ours):  # builds its scene at the first reset, the others before
        contestant.reset((job.start + 1) % STARTS)
    reset = spent_on(lambda: contestant.reset(job.start))
    contestant.step(moves[: job.chunk])

    def steps() -> None:
        for begin in range(0, job.steps, job.chunk):
            contestant.step(moves[begin : begin + job.chunk])

    stepped = spent_on(steps)
    contestant.close()
    return reset, stepped.per(job.steps)


def differences(task: str, px: int) -> dict[str, float]:
    """Mean difference of fast from faithful pictures of a start state, levels of 255, by camera."""
    looks = []
    for fast_ones in (False, True):
        told = RobotSettings(
            name="libero", image_px=px, pictures="fast" if fast_ones else "faithful"
        )
        robot = Libero(told)
        looks.append(robot.reset(Task(task, "", 3, 10, seed=0)).images)
        robot.close()
    faithful, fast = looks
    return {
        camera: round(float(np.abs(image.astype(float) - fast[camera]).mean()), 2)
        for camera, image in faithful.items()
    }
