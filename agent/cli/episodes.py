"""`vlarl-agent episodes`: what a run has recorded."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.options import AsJson, RunFolder
from agent.errors import DataError

if TYPE_CHECKING:
    from agent.store.summary import Summary

app = typer.Typer(help="Episodes: look at recordings, and take care of them.", no_args_is_help=True)

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]


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


@app.command()
def fsck(run: RunFolder, *, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Bring a run in order: save what broke off, set aside what is damaged, mend the manifest.

    Ends with 3 where something is out of order still, as after a dry run that found anything.
    """
    from agent.store import chores

    text, sound = chores.mended(run, dry_run=dry_run, as_json=as_json)
    typer.echo(text)
    if not sound:
        raise typer.Exit(DataError.exit_code)


@app.command()
def compact(run: RunFolder, *, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Pack the many small picture files of each episode into few; no value changes."""
    from agent.store import chores

    typer.echo(chores.compacted(run, dry_run=dry_run, as_json=as_json))


@app.command()
def prune(  # noqa: PLR0913  one parameter an option
    run: RunFolder,
    *,
    keep: Annotated[int | None, typer.Option(min=0, help="Episodes to keep, at most.")] = None,
    gib: Annotated[float | None, typer.Option(min=0, help="GiB to keep, at most.")] = None,
    days: Annotated[float | None, typer.Option(min=0, help="Days to keep one, at most.")] = None,
    used: Annotated[
        bool, typer.Option("--used", help="Let go of episodes, too, that an update has used.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Remove them; else only say which.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove the oldest episodes over a limit, but none that learning needs."""
    from agent.store import chores
    from agent.store.prune import Limits

    # Infinity is no limit.
    limits = Limits(keep, int(gib * 2**30) if gib is not None and gib < math.inf else None, days)
    held = _held(run, used=used)
    typer.echo(chores.pruned(run, limits, held, dry_run=not yes, as_json=as_json))


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An .hdf5, .h5 or .zip file.")],
    *,
    into: Annotated[Path, typer.Option(metavar="RUN", help="Run folder, made if needed.")],
    codecs: Annotated[str, typer.Option(help="As the setting store.codecs.")] = "",
    as_json: AsJson = False,
) -> None:
    """Bring in demonstrations of LIBERO or robomimic, or one zipped episode of ours."""
    import json

    from agent.store.importing import import_file

    def told(name: str, source: str) -> None:
        typer.echo(f"episode {name}: {source}", err=True)

    names = import_file(file, into, codecs, told)
    told_text = f"{len(names)} episodes imported into {into}"
    typer.echo(json.dumps({"run": str(into), "episodes": names}) if as_json else told_text)


def _held(run: Path, *, used: bool) -> Callable[[Summary], str]:
    """Say why a sealed episode must stay: an update used it, or the next one will."""
    from agent.learn.ledger import Ledger
    from agent.store.run import RUN, open_run

    ledger = Ledger(run)
    ledger.read()
    learned, acting = ledger.used, ledger.current
    waits = (run / "updates").is_dir() and not (run / "outcome.json").is_file()
    if waits and (run / RUN).is_file():
        waits = bool(open_run(run).settings.get("run", {}).get("update", True))

    def why(row: Summary) -> str:
        if row.id in learned:
            return "" if used else "used by an update (--used lets go of them)"
        return "the next update waits for it" if waits and row.adapter == acting else ""

    return why
