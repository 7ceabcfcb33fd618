"""Processes that belong together: started in order, ended together, and nothing is restarted."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agent.errors import RobotFault

_LOOK_S = 0.1
_GRACE_S = 5.0
_PR_SET_PDEATHSIG = 1  # of Linux's <sys/prctl.h>


@dataclass(frozen=True, slots=True)
class Child:
    """One process: what it is called, and its whole command."""

    name: str
    command: Sequence[str]


class Children:
    """Runs children in the foreground. Ends them in the order they were given, each in its time."""

    def __init__(self, children: Sequence[Child], environment: Mapping[str, str]) -> None:
        self._children, self._environment = tuple(children), dict(environment)
        self._running: list[tuple[Child, subprocess.Popen[bytes]]] = []

    def start(self) -> None:
        """Start them all, the last one first: what others stand on is given last."""
        for child in reversed(self._children):
            # In groups of their own, so that Ctrl-C reaches this process alone, which then ends
            # them one after the other.
            process = subprocess.Popen(  # noqa: S603  our own programs
                child.command,
                env=self._environment,
                process_group=0,
                preexec_fn=end_with_parent,  # noqa: PLW1509  no other thread is there yet
            )
            self._running.insert(0, (child, process))

    def watch(self, stop_wanted: Callable[[], bool]) -> None:
        """Wait until asked to stop. Raises RobotFault as soon as one has ended by itself."""
        while not stop_wanted():
            for child, process in self._running:
                code = process.poll()
                if code is not None:
                    raise RobotFault(
                        f"{child.name} ended by itself with {code}; the rest is ended too. "
                        "See what it said above, then start again"
                    )
            time.sleep(_LOOK_S)

    def end(self) -> None:
        """Ask each in turn to end, and wait for it; one that does not is killed."""
        while self._running:
            _, process = self._running.pop(0)
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def end_with_parent() -> None:
    """Have the kernel end this process when its parent dies, even by SIGKILL."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
