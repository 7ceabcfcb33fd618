"""`vlarl-agent prime`: give a checkpoint's critic the experience of earlier runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Runs = Annotated[list[Path], typer.Argument(metavar="RUN...", help="Runs of the base policy.")]
Checkpoint = Annotated[
    Path, typer.Option("--checkpoint", metavar="FOLDER", help="Checkpoint to give it to.")
]


def prime(runs: Runs, *, checkpoint: Checkpoint) -> None:
    """Keep what the base policy's episodes in RUN... came to, for critics to begin with."""
    from agent.learn import experience
    from agent.policy.policy import VLAPolicy
    from agent.store.reader import ZarrReader

    policy = VLAPolicy(checkpoint)
    readers = [ZarrReader(run) for run in runs]
    found = experience.gather(policy, (r.read(name) for r in readers for name in r.ids()))
    experience.save(found, checkpoint)
    episodes = int(found.episode.max()) + 1
    typer.echo(f"{len(found.left)} decisions of {episodes} episodes kept in {checkpoint}")
