"""Sink `wandb`: an offline run in the run folder; `wandb sync` sends it, nothing else does."""

from __future__ import annotations

import math

import wandb

from agent.sinks.row import About, Row

PROJECT = "vlarl-agent"
KINDS = ("episode", "update", "evaluation")


class WeightsAndBiases:
    """Figures of each kind against that kind's own number."""

    def __init__(self) -> None:
        self._run: wandb.Run | None = None

    def open(self, about: About) -> None:
        """Begin one more offline piece of the run that its name identifies."""
        quiet = wandb.Settings(silent=True, console="off", x_disable_stats=True, disable_git=True)
        self._run = wandb.init(
            project=PROJECT,
            name=about.name,
            id=about.name,
            dir=about.folder,
            config=dict(about.settings),
            mode="offline",
            settings=quiet,
        )
        for kind in KINDS:
            self._run.define_metric(f"{kind}/number", hidden=True)
            self._run.define_metric(f"{kind}/*", step_metric=f"{kind}/number")
        for name in ("critic/*", "gate/*"):
            self._run.define_metric(name, step_metric="update/number")

    def take(self, row: Row) -> None:
        """Log the figures that are numbers."""
        if self._run is not None:
            known = {name: value for name, value in row.metrics.items() if math.isfinite(value)}
            self._run.log({**known, f"{row.kind}/number": row.number})

    def close(self) -> None:
        """Let everything reach the disk."""
        if self._run is not None:
            self._run.finish()
            self._run = None
