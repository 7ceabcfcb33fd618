"""`vlarl-agent log`: every screen of the terminal app as text, and as JSON."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.cli.options import AsJson, RunFolder

app = typer.Typer(help="Log: what a run did, why, and whether it got better.", no_args_is_help=True)

Runs = Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of runs, or one run.")]
Last = Annotated[int, typer.Option("--last", min=1, help="Rows to print, the newest.")]


def _tell(view: object, text: Callable[[Any], str], *, as_json: bool) -> None:
    import json

    from agent.logbook.plain import plain

    typer.echo(json.dumps(plain(view), allow_nan=False) if as_json else text(view))


@app.command()
def runs(folder: Runs = Path("runs"), *, as_json: AsJson = False) -> None:
    """List runs: what each is doing, and what it came to."""
    from agent import logbook
    from agent.cli import telling

    _tell(logbook.runs(folder), telling.runs, as_json=as_json)


@app.command()
def run(folder: RunFolder, *, as_json: AsJson = False) -> None:
    """One run: success, updates, curriculum, safety, the judge, disk and time."""
    from agent import logbook
    from agent.cli import telling

    _tell(logbook.run(folder), telling.run, as_json=as_json)


@app.command()
def episodes(folder: RunFolder, *, last: Last = 40, as_json: AsJson = False) -> None:
    """List episodes with their labels, broken-off and running ones too; JSON has all of them."""
    from agent import logbook
    from agent.cli import telling_episode

    view = logbook.episodes(folder)
    _tell(view, lambda told: telling_episode.episodes(told, last), as_json=as_json)


@app.command()
def episode(
    folder: RunFolder,
    name: Annotated[str, typer.Argument(metavar="ID", help="Episode id.")],
    *,
    as_json: AsJson = False,
) -> None:
    """One episode, decision by decision: what was wanted, done, judged and learned."""
    from agent import logbook
    from agent.cli import telling_episode

    _tell(logbook.episode(folder, name), telling_episode.episode, as_json=as_json)


@app.command()
def adapters(
    folder: RunFolder,
    *,
    compare: Annotated[
        str, typer.Option("--compare", metavar="NAME,NAME", help="Two adapters, side by side.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """The family of adapters, with how each did; or two of them compared."""
    from agent import logbook
    from agent.cli import telling
    from agent.errors import UsageError

    if not compare:
        _tell(logbook.adapters(folder), telling.adapters, as_json=as_json)
        return
    names = [part.strip() for part in compare.split(",")]
    if len(names) != 2:
        raise UsageError(f"--compare wants two adapters like base,0003, found {compare!r}")
    _tell(logbook.compare(folder, *names), telling.comparison, as_json=as_json)


@app.command()
def reward(folder: RunFolder, *, as_json: AsJson = False) -> None:
    """The judge: against labels, against the world, its calibration and its probes."""
    from agent import logbook
    from agent.cli import telling

    _tell(logbook.reward(folder), telling.reward, as_json=as_json)


@app.command()
def events(folder: RunFolder, *, last: Last = 40, as_json: AsJson = False) -> None:
    """Everything that happened, in the order of time; JSON has all of it."""
    from agent import logbook
    from agent.cli import telling

    view = logbook.events(folder)
    _tell(view, lambda told: telling.events(told, last), as_json=as_json)
