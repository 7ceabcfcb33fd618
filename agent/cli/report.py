"""`vlarl-agent report`: one page about a run, to look at or to hand on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.options import RunFolder


def report(
    run: RunFolder,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Page to write; RUN/report.html.")
    ] = None,
    png: Annotated[
        Path | None, typer.Option("--png", metavar="FOLDER", help="Keep the plots as PNG too.")
    ] = None,
) -> None:
    """Write a run's plots, tables and clips into one HTML file that needs no network."""
    from agent import durable
    from agent.report.page import make

    target = out or run / "report.html"
    text = make(run, png)
    durable.make_folder(target.parent)
    durable.write_text(target, text)
    typer.echo(str(target))
