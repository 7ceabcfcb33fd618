"""`vlarl-agent calibrate view`: how far cameras are off the views that a policy was trained on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.options import AsJson
from agent.errors import UsageError

if TYPE_CHECKING:
    from agent.episode import Uint8Array
    from calibration.alignment import Alignment

Views = dict[str, list["Uint8Array"]]

Source = Annotated[Path, typer.Argument(metavar="RUN|FOLDER", help="A run, or pictures.")]
Against = Annotated[
    Path, typer.Option("--reference", metavar="RUN|FOLDER", help="How the view should be.")
]
Picture = Annotated[
    Path | None, typer.Option("--picture", metavar="FILE", help="Overlay to write, a .png.")
]
Camera = Annotated[str, typer.Option("--camera", help="Only this one of a run's cameras.")]
Lens = Annotated[
    Path | None, typer.Option("--lens", metavar="FILE", help="The camera's file, for its lens.")
]
Focal = Annotated[
    float | None, typer.Option("--focal-px", min=1.0, max=1e5, help="Focal length instead.")
]
Distance = Annotated[
    float, typer.Option("--distance-m", min=0.01, max=100.0, help="Camera to scene.")
]

MOST = 24  # first views of a run that are read


def view(  # noqa: PLR0913  one parameter an option
    source: Source,
    *,
    reference: Against,
    picture: Picture = None,
    camera: Camera = "",
    lens: Lens = None,
    focal_px: Focal = None,
    distance_m: Distance = 0.6,
    as_json: AsJson = False,
) -> None:
    """Lay a camera's view over the one it should be: shift, turn, size, and the camera's move.

    Of a run the first view of each episode is taken. Red in the overlay is where things should be,
    cyan where they are.
    """
    from calibration.alignment import align, aligned_said, save_overlay

    if picture is not None and picture.suffix.lower() != ".png":
        raise UsageError(f"--picture: a .png file wanted, found {picture}")
    ours, theirs = _of(source, camera), _of(reference, camera)
    names = [name for name in ours if name in theirs]
    if not names:
        raise UsageError(
            f"a camera that both show wanted, {source} shows {', '.join(ours)} and {reference} "
            f"{', '.join(theirs)}"
        )
    if lens is not None or focal_px is not None:
        focal_px = _focal(lens, focal_px, {name: ours[name] for name in names})
    found: Mapping[str, Alignment] = {
        name: align(theirs[name], ours[name], focal_px, distance_m) for name in names
    }
    if picture is not None:
        save_overlay(picture, [(theirs[name], ours[name]) for name in names])
    if as_json:
        typer.echo(json.dumps({name: each.told for name, each in found.items()}, indent=1))
        return
    for name, each in found.items():
        typer.echo(f"{name or source.name}: {aligned_said(each)}")
    if picture is not None:
        typer.echo(f"overlay written to {picture}")


def _focal(file: Path | None, focal_px: float | None, views: Views) -> float | None:
    """Focal length of a camera file, px, else the one given.

    Raises UsageError for pictures of another size, or of several cameras.
    """
    from calibration.camera_file import read

    if len(views) > 1:
        raise UsageError(
            f"one camera wanted with --lens or --focal-px, found {', '.join(views)}; give --camera"
        )
    if file is None:
        return focal_px
    lens = read(file).lens
    ((picture, *_),) = views.values()
    height, width = picture.shape[:2]
    if (width, height) != (lens.width_px, lens.height_px):
        raise UsageError(
            f"views of {lens.width_px} x {lens.height_px} px wanted, as {file} says of its lens, "
            f"found {width} x {height}: they were cut or made smaller; give --focal-px of them"
        )
    return lens.fx


def _of(source: Path, camera: str) -> Views:
    """First views of a run by camera, or the pictures of a folder under ""."""
    from agent.store.reader import ZarrReader
    from agent.store.run import RUN
    from calibration.pictures import pictures, read

    if not (source / RUN).exists():
        return {"": [read(file) for file in pictures(source)]}
    reader, views = ZarrReader(source), Views()
    for episode_id in reader.ids()[:MOST]:
        for name, image in reader.read(episode_id).episode.steps[0].observation.images.items():
            if camera in ("", name):
                views.setdefault(name, []).append(image)
    if not views:
        raise UsageError(f"views of camera {camera or 'any'!r} wanted in {source}, found none")
    return views
