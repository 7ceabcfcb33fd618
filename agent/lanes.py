"""Robots in processes of their own, side by side, whose pictures lie in shared memory."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from agent.episode import Action, Observation, Reading, Task, Uint8Array
from agent.errors import RobotFault, VlarlError
from agent.registry import make_robot
from agent.settings import RobotSettings

_GRACE_S = 5.0
_GPUS = Path("/proc/driver/nvidia/gpus")  # NVIDIA's driver has an entry here for each


class _Memory(Protocol):
    """Shared bytes."""

    def __len__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where in the shared memory a picture lies."""

    camera: str
    begin: int
    shape: tuple[int, ...]


class Lane:
    """One robot in a process of its own: asked, then waited for. Nothing is started before `start`.

    cameras: how many pictures of `settings.image_px` squared a view may hold.
    number: of the lane; where there are several GPUs, lanes take turns in drawing on them.
    """

    def __init__(self, settings: RobotSettings, cameras: int, number: int = 0) -> None:
        self._settings, self._number = settings, number
        self._bytes = max(1, cameras) * settings.image_px**2 * 3
        self._process: Any = None
        self._pipe: Connection | None = None
        self._memory: Any = None

    def start(self) -> None:
        """Start the process; the robot itself is built at the first reset."""
        # A fresh interpreter: a fork would share what draws and what computes.
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._memory = context.RawArray(ctypes.c_uint8, self._bytes)
        self._process = context.Process(
            target=_serve,
            args=(self._settings, self._number, theirs, self._memory),
            daemon=True,
        )
        self._process.start()
        theirs.close()

    def reset(self, task: Task) -> None:
        """Ask for a reset; `answer` gives the first view."""
        self._ask(task)

    def step(self, actions: Sequence[Action]) -> None:
        """Ask for a step; `answer` gives the reading."""
        self._ask(tuple(actions))

    def answer(self) -> Observation | Reading:
        """Wait for what was asked for. Raises what the robot raised, RobotFault where it died."""
        try:
            got = self.pipe.recv()
        except (EOFError, OSError) as error:
            raise RobotFault(
                f"the process of a {self._settings.name} ended by itself; see what it said above"
            ) from error
        if isinstance(got, Exception):
            raise got
        told: Observation | Reading = got[0]
        frames: tuple[_Frame, ...] = got[1]
        images = {frame.camera: self._picture(frame) for frame in frames}
        if isinstance(told, Observation):
            return replace(told, images=images)
        return replace(told, observation=replace(told.observation, images=images))

    @property
    def pipe(self) -> Connection:
        """What becomes readable when there is an answer. Raises RobotFault before `start`."""
        if self._pipe is None:
            raise RobotFault("a robot wanted that was never started")
        return self._pipe

    def close(self) -> None:
        """End the process, which lets go of its robot. May be called twice."""
        if self._pipe is not None:
            self._pipe.close()
            self._process.join(_GRACE_S)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
            self._pipe = None

    def _ask(self, what: Task | tuple[Action, ...]) -> None:
        try:
            self.pipe.send(what)
        except OSError as error:
            raise RobotFault(
                f"the process of a {self._settings.name} is gone: {error}; start again"
            ) from error

    def _picture(self, frame: _Frame) -> Uint8Array:
        shared = np.frombuffer(self._memory, np.uint8)
        size = int(np.prod(frame.shape))
        # A copy: the robot draws its next view in the same place.
        return shared[frame.begin : frame.begin + size].reshape(frame.shape).copy()


def answered(lanes: Sequence[Lane]) -> list[Lane]:
    """Those of the lanes whose answer is there, at least one."""
    ready = wait([lane.pipe for lane in lanes])
    return [lane for lane in lanes if lane.pipe in ready]


def _serve(settings: RobotSettings, number: int, pipe: Connection, memory: _Memory) -> None:
    """Do what is asked until nobody is there to ask."""
    _draw_on(number)
    # Ctrl-C reaches every process of a terminal; who asks decides when to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    robot = make_robot(settings)
    shared = np.frombuffer(memory, np.uint8)  # type: ignore[call-overload]
    try:
        while True:
            asked = pipe.recv()
            try:
                told = robot.reset(asked) if isinstance(asked, Task) else robot.step(asked)
                answer: object = _laid_out(told, shared)
            except VlarlError as fault:
                answer = fault
            pipe.send(answer)
    except (EOFError, ConnectionError):
        return  # who asks is gone, or did not wait for the answer
    finally:
        robot.close()


def _laid_out(
    told: Observation | Reading, shared: Uint8Array
) -> tuple[Observation | Reading, tuple[_Frame, ...]]:
    """What was told without its pictures, which are put in the shared memory."""
    view = told if isinstance(told, Observation) else told.observation
    frames, begin = [], 0
    for camera, image in view.images.items():
        if begin + image.size > len(shared):
            raise RobotFault(f"pictures of {len(shared)} bytes in all wanted, found more")
        shared[begin : begin + image.size] = image.ravel()
        frames.append(_Frame(camera, begin, image.shape))
        begin += image.size
    bare = replace(view, images={})
    if isinstance(told, Observation):
        return bare, tuple(frames)
    return replace(told, observation=bare), tuple(frames)


def _draw_on(number: int, listed: Path = _GPUS) -> None:
    """Choose a lane's GPU to draw on where there are several and nobody has said which."""
    gpus = len(list(listed.glob("*")))
    if gpus > 1:
        os.environ.setdefault("MUJOCO_EGL_DEVICE_ID", str(number % gpus))
