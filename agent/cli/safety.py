"""`vlarl-agent safety`: how long it took from seeing to commanding."""

from __future__ import annotations

import json

import typer

from agent.cli.options import AsJson, RunFolder

app = typer.Typer(help="Safety: our part of an arm's stopping time.", no_args_is_help=True)


@app.callback()
def _safety() -> None:
    """Keep `report` a command of its own."""


@app.command()
def report(run: RunFolder, *, as_json: AsJson = False) -> None:
    """Report sensor age, inference and command latency of a run's episodes: p50, p99, most."""
    from dataclasses import asdict

    from agent.budget import NOT_RATED, budget, said
    from agent.cadence import pace_of
    from agent.cell import kept
    from agent.store.reader import ZarrReader
    from agent.store.run import open_run

    open_run(run)
    reader = ZarrReader(run)
    paces = (pace_of(reader.read(each).episode) for each in reader.ids())
    found = budget(paces, kept(run))
    if not as_json:
        typer.echo(said(found))
        return
    told = asdict(found) | {"note": NOT_RATED}
    typer.echo(json.dumps(_without_nan(told), indent=2, allow_nan=False))


def _without_nan(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_nan(each) for name, each in value.items()}
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124  NaN
