"""A program in a terminal of its own: keys go in, and what it draws is waited for."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path

LIMIT_S = 60.0
_CONTROL = re.compile(r"\x1b\[[0-9;?<>=]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]")


class Terminal:
    """Runs a command in a pty of this size; ended at the end of a `with`."""

    def __init__(self, command: Sequence[str], size: tuple[int, int]) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        environment.pop("NO_COLOR", None)
        self._process = subprocess.Popen(  # noqa: S603  the command of whoever measures
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment,
            start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest, self._drawn = "", ""

    def __enter__(self) -> Terminal:
        """Nothing more."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the program: by itself within seconds, else by force."""
        end = time.monotonic() + 5.0
        while self._process.poll() is None and time.monotonic() < end:
            self._read(0.05)
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._ours)

    def type(self, keys: str) -> None:
        """Send keys, and forget what was drawn before."""
        while self._read(0.0):
            pass
        self._drawn = ""
        os.write(self._ours, keys.encode())

    def wait_for(self, *texts: str) -> None:
        """Return when all of these have been drawn since the last keys."""
        end = time.monotonic() + LIMIT_S
        while not all(text in self._drawn for text in texts):
            if time.monotonic() > end or (self._process.poll() is not None and not self._read(0.0)):
                raise RuntimeError(f"want {texts} on the terminal, found {self._drawn[-2000:]!r}")
            self._read(0.2)

    def resident_mib(self) -> float:
        """Memory that is resident now."""
        return self._status("VmRSS")

    def most_resident_mib(self) -> float:
        """The most memory that was ever resident."""
        return self._status("VmHWM")

    def _read(self, wait_s: float) -> bool:
        ready, _, _ = select.select([self._ours], [], [], wait_s)
        if not ready:
            return False
        try:
            data = os.read(self._ours, 1 << 16)
        except OSError:  # the other end is closed
            return False
        self._rest += self._decoder.decode(data)
        # A read may end within a control sequence, which then waits for its end.
        last = self._rest.rfind("\x1b")
        whole = len(self._rest) if last < 0 or _CONTROL.match(self._rest, last) else last
        self._drawn += _CONTROL.sub("", self._rest[:whole])
        self._rest = self._rest[whole:]
        return bool(data)

    def _status(self, name: str) -> float:
        told = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(re.search(rf"{name}:\s+(\d+) kB", told)[1]) / 1024  # type: ignore[index]
