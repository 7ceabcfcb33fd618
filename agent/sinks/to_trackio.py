"""Sink `trackio`: its own database on this machine; `trackio show` opens it."""

from __future__ import annotations

import contextlib
import math
import sys

import trackio

from agent.sinks.row import About, Row

PROJECT = "vlarl-agent"


class Trackio:
    """Local only: no space, no server. What trackio says goes to stderr."""

    def __init__(self) -> None:
        self._run: trackio.Run | None = None

    def open(self, about: About) -> None:
        """Begin a run of this name, or go on with it."""
        with contextlib.redirect_stdout(sys.stderr):
            self._run = trackio.init(
                project=PROJECT,
                name=about.name,
                config=dict(about.settings),
                resume="allow",
                embed=False,
                auto_log_gpu=False,
                auto_log_cpu=False,
            )

    def take(self, row: Row) -> None:
        """Log the figures that are numbers, with the row's own number beside them."""
        if self._run is not None:
            known = {name: value for name, value in row.metrics.items() if math.isfinite(value)}
            self._run.log({**known, f"{row.kind}/number": row.number}, step=row.number)

    def close(self) -> None:
        """Let everything arrive."""
        if self._run is not None:
            with contextlib.redirect_stdout(sys.stderr):
                trackio.finish()  # the run's own method would be called again at exit
            self._run = None
