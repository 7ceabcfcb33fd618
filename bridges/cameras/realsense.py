"""A RealSense camera, in a process of its own."""

from __future__ import annotations

import logging
import multiprocessing
import threading
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.shared_memory import SharedMemory

import numpy as np

from agent.clock import now_s
from agent.episode import Float32Array
from bridges.cameras.frames import Frame, Latest
from bridges.cameras.realsense_process import SLOTS, Ended, Size, Taken, run, views

log = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 8.0
_JOIN_S = 3.0


class RealSenseCamera:
    """Colour with depth aligned to it; a camera that is lost is started again.

    source: a serial number, "any", or a recorded .db3 or .bag file.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._latest = Latest()
        self._depth: Float32Array | None = None
        self._trouble = ""
        self._ended = threading.Event()
        self._wanted_now = threading.Event()
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Start the process, at once where it is waiting to be tried again."""
        self._wanted_now.set()
        if self._thread is None or not self._thread.is_alive():
            self._ended.clear()
            name = f"realsense:{self._source}"
            self._thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._thread.start()

    @property
    def newest(self) -> Frame | None:
        """The last picture."""
        return self._latest.newest

    @property
    def depth(self) -> Float32Array | None:
        """Depth (h, w) m of the last picture's pixels, 0 where nothing was measured."""
        return self._depth

    @property
    def trouble(self) -> str:
        """Why no pictures come."""
        return self._trouble

    def close(self) -> None:
        """End the process. May be called twice."""
        self._ended.set()
        self._wanted_now.set()
        if self._thread is not None:
            self._thread.join(2 * _JOIN_S)
        self._thread = None
        self._latest.forget()

    def _run(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._ended.is_set():
            self._wanted_now.clear()
            began_s = now_s()
            self._trouble = self._follow_one()
            if self._ended.is_set():
                return
            log.warning("camera realsense:%s: %s", self._source, self._trouble)
            if now_s() - began_s > LONGEST_PAUSE_S:
                pause_s = FIRST_PAUSE_S
            self._wanted_now.wait(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _follow_one(self) -> str:
        """Run one process to its end, and say why it ended."""
        # A forked child would inherit ROS's threads' locks.
        spawn = multiprocessing.get_context("spawn")
        pipe, theirs = spawn.Pipe()
        process = spawn.Process(target=run, args=(self._source, theirs), daemon=True)
        process.start()
        theirs.close()
        try:
            return self._follow(pipe)
        finally:
            pipe.close()
            _end(process)

    def _follow(self, pipe: Connection) -> str:
        memory, size = None, Size(0, 0)
        try:
            while not self._ended.is_set():
                if not pipe.poll(0.1):
                    continue
                told = pipe.recv()
                if isinstance(told, Ended):
                    return told.why
                if isinstance(told, Size):
                    size = told
                    memory = SharedMemory(create=True, size=SLOTS * size.slot_bytes)
                    pipe.send(memory.name)
                elif isinstance(told, Taken) and memory is not None:
                    self._take(told, memory, size)
        except (EOFError, OSError) as error:
            return f"its process ended: {error!r}"
        finally:
            if memory is not None:
                memory.close()
                memory.unlink()
        return "it was closed"

    def _take(self, told: Taken, memory: SharedMemory, size: Size) -> None:
        colour, depth = (np.array(view) for view in views(memory, size, told.slot))
        self._trouble, self._depth = "", depth
        self._latest.put(lambda: colour, told.captured_s, told.checksum)


def _end(process: BaseProcess) -> None:
    """The process ends by itself once its pipe is closed; if not, it is made to."""
    process.join(_JOIN_S)
    for stop in (process.terminate, process.kill):
        if process.is_alive():
            stop()
            process.join(_JOIN_S)
    process.close()
