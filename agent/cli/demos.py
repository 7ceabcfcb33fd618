"""`vlarl-agent demos`: the scripted expert shows how it is done."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.options import ConfigFile, RobotName, Seed, Sets, Shift, TaskName, resolve

# Start states from here on are drawn for demonstrations; the stored ones lie below.
FRESH = 1000

Out = Annotated[Path, typer.Option("--out", metavar="RUN", help="Run folder to record to.")]
Count = Annotated[int, typer.Option("--episodes", min=1, help="Episodes to record in all.")]
Share = Annotated[
    float,
    typer.Option("--driven", min=0, max=1, help="Share of episodes that --driver moves instead."),
]
Driver = Annotated[
    Path | None,
    typer.Option(
        metavar="CHECKPOINT",
        help="Policy that drives while the expert says what it would do (DAgger).",
    ),
]
Noise = Annotated[
    float, typer.Option(min=0, max=1, help="Share of moves replaced by random ones, in bursts.")
]
Workers = Annotated[
    int,
    typer.Option(
        min=1, max=64, help="Processes that record at once, each to a folder part-* in RUN."
    ),
]
Stored = Annotated[
    bool, typer.Option("--stored", help="Use the stored training starts, not fresh ones.")
]


def demos(  # noqa: PLR0913  one parameter an option
    *,
    out: Out,
    count: Count = 100,
    config: ConfigFile = None,
    sets: Sets = None,
    robot: RobotName = None,
    task: TaskName = None,
    shift: Shift = None,
    seed: Seed = None,
    noise: Noise = 0.15,
    driver: Driver = None,
    driven: Share = 1.0,
    stored: Stored = False,
    workers: Workers = 1,
) -> None:
    """Record demonstrations of a robot's tasks, task after task in turn."""
    from agent.coaching import Lesson, record
    from agent.coaching_parts import record_parts

    settings = resolve(config, sets, robot=robot, task=task, shift=shift, seed=seed).settings
    lesson = Lesson(count, noise, driver, driven, None if stored else FRESH)
    if workers == 1:
        won = record(settings, out, lesson, _tell)
    else:
        won = record_parts(settings, out, lesson, min(workers, count), _tell_part)
    typer.echo(f"{won} of {count} demonstrations succeeded; they are in {out}")


def _tell(done: int, count: int, won: int) -> None:
    if done % 20 == 0 or done == count:
        typer.echo(f"{done}/{count} recorded, {won} succeeded", err=True)


def _tell_part(folder: Path, held: int, won: int) -> None:
    typer.echo(f"{folder}: {held} recorded, {won} succeeded", err=True)
