"""Tells systemd that a service is ready and alive: sd_notify(3) without its library."""

from __future__ import annotations

import os
import socket

from agent import clock

# systemd wants a sign at least twice as often as its limit.
_SHARE = 0.3


class Watchdog:
    """Speaks to the socket that the environment names; silent where there is none."""

    def __init__(self, environment: dict[str, str] | os._Environ[str]) -> None:
        self._path = environment.get("NOTIFY_SOCKET", "")
        limit_us = environment.get("WATCHDOG_USEC", "")
        self._every_s = _SHARE * int(limit_us) / 1e6 if limit_us.isdigit() else 0.0
        self._told_s = -1e9

    def ready(self, status: str) -> None:
        """Say that the service is up, and what it does."""
        self._tell(f"READY=1\nSTATUS={status}")

    def alive(self) -> None:
        """Say that work goes on; cheap enough to be called at every turn of a loop."""
        now_s = clock.now_s()
        if self._every_s and now_s - self._told_s >= self._every_s:
            self._told_s = now_s
            self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that the service is on its way down."""
        self._tell("STOPPING=1")

    def _tell(self, text: str) -> None:
        if not self._path:
            return
        # A leading @ stands for Linux's abstract namespace.
        address = "\0" + self._path[1:] if self._path.startswith("@") else self._path
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
            try:
                line.connect(address)
                line.sendall(text.encode())
            except OSError:
                # A service manager that does not listen is no reason to stop an arm.
                self._path = ""
