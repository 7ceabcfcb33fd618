"""`vlarl-agent diagnose`: which rung a failing deployment is on, before weights are touched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from agent.cli.calibrate import plainly
from agent.cli.options import AsJson, RunFolder

Against = Annotated[
    Path | None,
    typer.Option(
        "--against", metavar="FILE", help="Reference; the one beside the run's checkpoint."
    ),
]
Make = Annotated[
    Path | None,
    typer.Option("--make", metavar="FILE", help="Write a reference instead: this run is healthy."),
]
Picture = Annotated[
    Path | None,
    typer.Option("--picture", metavar="FOLDER", help="Draw each camera's view over the reference."),
]


@plainly
def diagnose(
    run: RunFolder,
    *,
    against: Against = None,
    make: Make = None,
    picture: Picture = None,
    as_json: AsJson = False,
) -> None:
    """Say whether camera, light, commands, gripper, statistics or the policy is at fault."""
    from agent.cli.shipped import shipped
    from agent.diagnosis import told
    from agent.diagnosis.looking import look, pictures, take
    from agent.errors import UsageError
    from agent.store.run import open_run

    usual = shipped(str(open_run(run).settings["robot"]["name"]))
    if make is not None:
        if against is not None or picture is not None:
            raise UsageError("--make writes a reference of RUN; leave out --against and --picture")
        known = take(run, make, usual)
        if as_json:
            told_of = {"reference": str(make), "robot": known.robot, "episodes": known.episodes}
            typer.echo(json.dumps(told_of | {"cameras": list(known.sights)}, indent=1))
            return
        typer.echo(
            f"{make}: {known.episodes} episodes of {known.robot}, "
            f"{', '.join(known.sights) or 'no camera'}"
        )
        return
    found = look(run, against, usual)
    drawn = pictures(run, against, usual, picture) if picture is not None else ()
    if as_json:
        named = {"pictures": [str(path) for path in drawn]}
        typer.echo(json.dumps(told.values(found) | named, indent=1))
        return
    typer.echo(told.said(found))
    for path in drawn:
        typer.echo(f"{path}: red is where the reference has it, cyan where this run has it")
