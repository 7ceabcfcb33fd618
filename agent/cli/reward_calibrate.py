"""`vlarl-agent reward calibrate`: what a judge's scores are worth, out of runs of known outcome."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.options import AsJson, Sets


def calibrate(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of runs.")],
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="File to keep it in.")],
    limit: Annotated[
        float,
        typer.Option(min=0.001, max=0.5, help="Share of failures that may pass for successes."),
    ] = 0.02,
    kind: Annotated[str, typer.Option("--reward", help="vlm or http.")] = "vlm",
    sets: Sets = None,
    as_json: AsJson = False,
) -> None:
    """Judge episodes of known outcome anew; keep curve, bar, and what is usual of this judge.

    The truth is what people typed, else the simulator's ending. Use runs that the judge was not
    taught with: the bar would be too low.
    """
    from agent.calibrating import calibrate_runs
    from agent.cli.judges import make_reader
    from agent.cli.options import resolve
    from agent.reward.calibration import save

    told = resolve(None, sets, reward=kind).settings.reward
    made = calibrate_runs(runs, make_reader(told), told, limit=limit, on_episode=_tell)
    save(out, made)
    if as_json:
        typer.echo(out.read_text().rstrip())
        return
    typer.echo(f"{made.model}: {made.said()}")
    for name, (failed, asked) in sorted(made.norm.probes.items()):
        typer.echo(f"probe {name}: {failed} of {asked} failed")
    denied, heard = made.norm.disagreed
    typer.echo(f"the arm denied {denied} of {heard} of its successes")
    typer.echo(f"kept in {out}; used with: --set reward.calibration={out}")


def _tell(done: int) -> None:
    if done % 50 == 0:
        typer.echo(f"{done} episodes judged", err=True)
