"""`vlarl-agent episodes`: what a run has recorded."""

from __future__ import annotations

from typing import Annotated

import typer

from agent.cli.options import AsJson, RunFolder
from agent.errors import DataError

app = typer.Typer(help="Episodes: list, show and verify recordings.", no_args_is_help=True)


@app.command("ls")
def list_(run: RunFolder, *, as_json: AsJson = False) -> None:
    """List the episodes of a run, oldest first."""
    from agent.store import listing

    typer.echo(listing.ls(run, as_json))


@app.command()
def show(
    run: RunFolder,
    episode: Annotated[str, typer.Argument(metavar="ID", help="Episode id, as `ls` prints it.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show one episode: its task, its steps, its ending and its judgement."""
    from agent.store import listing

    typer.echo(listing.show(run, episode, as_json))


@app.command()
def verify(run: RunFolder, *, as_json: AsJson = False) -> None:
    """Read every episode back and check it; ends with 3 where one is damaged."""
    from agent.store import listing

    text, whole = listing.verify(run, as_json)
    typer.echo(text)
    if not whole:
        raise typer.Exit(DataError.exit_code)
