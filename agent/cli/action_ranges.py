"""`vlarl-agent calibrate statistics`: what range of actions a policy's tokens stand for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

Runs = Annotated[
    list[Path], typer.Argument(metavar="RUN...", help="Runs or folders of demonstrations.")
]
Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="JSON file to write.")]
Name = Annotated[str, typer.Option("--name", help="Key of the data set; the robot's name.")]
Successes = Annotated[
    bool, typer.Option("--successes/--all", help="Count episodes that succeeded, or all.")
]


def statistics(runs: Runs, *, out: Out, name: Name = "", successes: Successes = True) -> None:
    """Write q01 and q99 of recorded actions as OpenVLA's dataset_statistics.json has them."""
    from agent.diagnosis.ranges import ranges
    from agent.durable import write_text
    from agent.errors import UsageError
    from agent.store.reader import ZarrReader
    from agent.store.run import open_run

    robots = {run: str(open_run(run).settings["robot"]["name"]) for run in runs}
    if len(set(robots.values())) > 1:
        told = ", ".join(f"{run} of {robot}" for run, robot in robots.items())
        raise UsageError(f"runs of one robot wanted, found {told}; give each its own --out")
    key = name or robots[runs[0]]
    # A run named twice counts once.
    readers = [ZarrReader(run) for run in {run.resolve(): run for run in runs}.values()]
    found = ranges((r.read(i) for r in readers for i in r.ids()), successes=successes)
    write_text(out, json.dumps({key: found}, indent=2) + "\n")
    typer.echo(
        f"{out}: {found['num_transitions']} actions of {found['num_trajectories']} episodes, "
        f"as {key!r}"
    )
