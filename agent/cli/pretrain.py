"""`vlarl-agent pretrain`: clone demonstrations into the built-in VLA."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from agent.episode import Episode

Runs = Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of demonstrations.")]
Out = Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Checkpoint to write.")]
Start = Annotated[
    Path | None, typer.Option("--start", metavar="FOLDER", help="Checkpoint to go on from.")
]
Steps = Annotated[int, typer.Option(min=1, help="Gradient steps.")]
Until = Annotated[
    int | None, typer.Option(min=1, help="Stop after this step of the schedule, if sooner.")
]
Batch = Annotated[int, typer.Option(min=1, help="Frames a gradient step, in each process.")]
Processes = Annotated[int, typer.Option(min=1, max=64, help="Processes that train together.")]
Rate = Annotated[float, typer.Option("--learning-rate", min=0, help="Peak AdamW step size.")]
Patch = Annotated[int, typer.Option(help="Side of an image patch, px.")]
Chunk = Annotated[int, typer.Option(min=1, help="Control steps a decision.")]
Sigma = Annotated[float, typer.Option("--sigma", min=0.1, help="Width of a target, bins.")]
Augment = Annotated[
    float,
    typer.Option(
        "--augment", min=0, max=1, help="How far light, colours and place of pictures are changed."
    ),
]
SeedOf = Annotated[int, typer.Option("--seed", min=0, help="Fixes every random choice.")]


def pretrain(  # noqa: PLR0913  one parameter an option
    runs: Runs,
    out: Out,
    *,
    start: Start = None,
    steps: Steps = 6000,
    until: Until = None,
    batch: Batch = 64,
    processes: Processes = 1,
    learning_rate: Rate = 1e-3,
    patch: Patch = 24,
    chunk: Chunk = 4,
    sigma: Sigma = 4.0,
    augment: Augment = 0.0,
    seed: SeedOf = 0,
) -> None:
    """Clone the expert's answers in RUN... into a checkpoint."""
    from agent.learn.clone import CloneSettings, Progress
    from agent.learn.pretraining import TinySettings
    from agent.learn.pretraining import pretrain as clone
    from agent.store.reader import ZarrReader
    from agent.store.run import open_run

    def demonstrations() -> Iterator[Episode]:
        for run in runs:
            reader = ZarrReader(run)
            for row in reader.summaries():
                # What the expert answered is right whether or not somebody else's hands failed.
                if row.adapter == "expert":
                    yield reader.read(row.id).episode

    def tell(progress: Progress) -> None:
        sys.stderr.write(
            f"step {progress.step}/{progress.steps}  loss {progress.loss:.4f}  "
            f"landmarks off by {1000 * progress.landmark_error:.1f} mm\n"
        )
        sys.stderr.flush()

    cloning = CloneSettings(
        steps=steps,
        until=until or steps,
        batch=batch,
        learning_rate=learning_rate,
        sigma_bins=sigma,
        augment=augment,
        seed=seed,
    )
    robot = str(open_run(runs[0]).settings.get("robot", {}).get("name", "tabletop"))
    settings = TinySettings(robot, patch=patch, chunk=chunk, processes=processes, clone=cloning)
    clone(demonstrations(), out, settings, start, tell)
    typer.echo(f"checkpoint written to {out}")
