"""`vlarl-agent tui`: the adaptation log in the terminal."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from agent.errors import UsageError

Where = Annotated[
    Path, typer.Argument(metavar="[RUN]", help="A run, or a folder of runs.", show_default=False)
]


def tui(run: Where = Path("runs")) -> None:
    """Follow a live run, or read an old one, in the terminal."""
    if find_spec("textual") is None:
        raise UsageError(
            "the terminal app needs Textual, which is not installed; "
            "pip install 'vlarl-agent[tui]', or use `vlarl-agent log`"
        )
    if not run.is_dir():
        raise UsageError(f"{run} is no folder; want a run or a folder of runs")
    # Textual draws on stderr: with that in a file one would sit before an empty screen.
    if not all(each.isatty() for each in (sys.stdin, sys.stdout, sys.stderr)):
        raise UsageError(
            "the terminal app wants a terminal, found none; "
            "`vlarl-agent log` prints the same as text"
        )
    from agent.tui.app import LogApp

    app = LogApp(run)
    app.run()
    if app.return_code:  # a bug, whose traceback Textual has printed
        raise typer.Exit(app.return_code)
