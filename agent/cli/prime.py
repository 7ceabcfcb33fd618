"""`vlarl-agent prime`: give a checkpoint what earlier runs in its training world showed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from agent.episode import ScoredEpisode

Runs = Annotated[
    list[Path],
    typer.Argument(metavar="RUN...", help="Runs of the base policy; for views, any of its world."),
]
Checkpoint = Annotated[
    Path, typer.Option("--checkpoint", metavar="FOLDER", help="Checkpoint to give it to.")
]
Only = Annotated[
    Literal["critic", "views"] | None,
    typer.Option("--only", help="The critic's experience or the start views alone."),
]


def prime(runs: Runs, *, checkpoint: Checkpoint, only: Only = None) -> None:
    """Keep what the base policy's episodes in RUN... came to, and where they began.

    Critics begin with the one; `run --align` brings pictures back to the other.
    """
    from agent.learn import experience, training_views
    from agent.policy.policy import VLAPolicy
    from agent.store.reader import ZarrReader

    policy = VLAPolicy(checkpoint)
    views = training_views.Gathering(policy)

    def episodes() -> Iterator[ScoredEpisode]:
        for reader in (ZarrReader(run) for run in runs):
            for name in reader.ids():
                scored = reader.read(name)
                views.take(scored.episode)
                yield scored

    if only == "views":
        for _ in episodes():
            pass
    else:
        found = experience.gather(policy, episodes())
        experience.save(found, checkpoint)
        count = int(found.episode.max()) + 1
        typer.echo(f"{len(found.left)} decisions of {count} episodes kept in {checkpoint}")
    if only != "critic":
        kept = views.found()
        training_views.save(kept, checkpoint)
        typer.echo(f"{len(kept.pictures)} start views kept in {checkpoint}")
