"""`vlarl-agent calibrate`: boards, cameras and where they sit."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ParamSpec

import typer

from agent.cli.guided import (
    Arm,
    ByHand,
    Cell,
    Count,
    Into,
    Live,
    Size,
    Words,
    Yes,
    capture_driven,
    capture_live,
    own,
    put,
)
from agent.cli.options import AsJson
from agent.cli.view import view
from agent.errors import DataError, StorageError, UsageError

if TYPE_CHECKING:
    from calibration.board import Board
    from calibration.camera_file import CameraFile
    from calibration.hand_eye import HandEye
    from calibration.loop import Mount

P = ParamSpec("P")

app = typer.Typer(help="Calibrate a robot cell's cameras.", no_args_is_help=True)

Columns = Annotated[int, typer.Option(help="Squares across.")]
Rows = Annotated[int, typer.Option(help="Squares down.")]
Square = Annotated[float, typer.Option("--square-mm", help="Side of a square, as measured.")]
Marker = Annotated[float, typer.Option("--marker-mm", help="Side of a marker, as measured.")]
Dictionary = Annotated[str, typer.Option(help="Markers, such as 5x5_100.")]
Pictures = Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of pictures.")]
Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="Camera file to write, TOML.")]


def plainly(command: Callable[P, None]) -> Callable[P, None]:
    """Turn what calibration refuses into this program's errors and exit codes."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            from calibration.complaints import CalibrationError
        except ImportError as error:
            raise _missing(error) from error
        try:
            command(*args, **kwargs)
        except ImportError as error:
            raise _missing(error) from error
        except CalibrationError as error:
            raise DataError(str(error)) from error
        except OSError as error:
            if error.filename is None:
                raise
            raise StorageError(
                f"{error.filename}: {error.strerror}; check the path and the disk"
            ) from error

    return run


app.command()(plainly(view))


@app.command()
@plainly
def board(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .pdf or .png to write.")],
    *,
    columns: Columns = 8,
    rows: Rows = 6,
    square_mm: Square = 30.0,
    marker_mm: Marker = 22.0,
    dictionary: Dictionary = "5x5_100",
) -> None:
    """Draw a ChArUco board for printing at its exact size."""
    from calibration.board import save_print

    width_m, height_m = save_print(_board(columns, rows, square_mm, marker_mm, dictionary), file)
    typer.echo(
        f"{file}: {1000 * width_m:.1f} x {1000 * height_m:.1f} mm; print it at 100 %, glue it to "
        "something flat, and check the bar of 100 mm and one square with a caliper"
    )


@app.command()
@plainly
def camera(  # noqa: PLR0913  one parameter an option
    folder: Pictures,
    *,
    out: Out,
    name: Annotated[str, typer.Option(help="The camera's name.")] = "camera",
    columns: Columns = 8,
    rows: Rows = 6,
    square_mm: Square = 30.0,
    marker_mm: Marker = 22.0,
    dictionary: Dictionary = "5x5_100",
    live: Live = False,
    robot: Arm = "franka",
    profile: Cell = "",
    count: Count = 20,
    into: Into = None,
    as_json: AsJson = False,
) -> None:
    """Find a camera's intrinsics from pictures of the board, and say what views still lack.

    With --live they are taken now through a camera of --profile; move the board, Ctrl-C ends it.
    """
    from calibration.camera import calibrate
    from calibration.camera_file import CameraFile, lens_of, write
    from calibration.coverage import coverage
    from calibration.pictures import look, pictures

    printed = _board(columns, rows, square_mm, marker_mm, dictionary)
    own(into, profile)
    if live:
        capture_live(folder, printed, robot, profile, name, count, posed=False)
    files = pictures(folder)
    seen, size = look(printed, files)
    fit = calibrate(printed, seen, *size)
    found = CameraFile(schema=1, camera=name, lens=lens_of(fit.intrinsics, fit))
    write(out, found)
    put(into, {f"cameras.{name}.lens": found.lens.model_dump()})
    wish = coverage(printed, seen, *size).wish
    left_out = [files[number].name for number in fit.left_out]
    if as_json:
        told = {**found.model_dump(by_alias=True), "left_out": left_out, "wish": wish}
        typer.echo(json.dumps(told, indent=1))
        return
    typer.echo(_lens_said(found, left_out))
    typer.echo(f"written to {out}" + (f"; to be surer: {wish}" if wish else ""))


@app.command("hand-eye")
@plainly
def hand_eye(  # noqa: PLR0913  one parameter an option
    folder: Pictures,
    *,
    out: Out,
    mount: Annotated[str, typer.Option(help="on-hand or beside.")] = "on-hand",
    columns: Columns = 8,
    rows: Rows = 6,
    square_mm: Square = 30.0,
    marker_mm: Marker = 22.0,
    dictionary: Dictionary = "5x5_100",
    live: Live = False,
    by_hand: ByHand = False,
    robot: Arm = "franka",
    profile: Cell = "",
    name: Annotated[str, typer.Option("--camera", help="With --live: the camera.")] = "eye_in_hand",
    size: Size = "640x480",
    count: Count = 20,
    yes: Yes = False,
    task: Words = "",
    into: Into = None,
    as_json: AsJson = False,
) -> None:
    """Find where a camera sits, from pictures of the board and arm poses (poses.json).

    The camera file that --out names must hold the lens, which the arm's poses make better; it is
    written anew with both. With --live the arm is driven from pose to pose, each with consent,
    and the lens is found from the same pictures where --out is not there yet.
    """
    if mount not in ("on-hand", "beside"):
        raise UsageError(f"--mount: on-hand or beside wanted, found {mount!r}")
    kind: Mount = "on-hand" if mount == "on-hand" else "beside"
    printed = _board(columns, rows, square_mm, marker_mm, dictionary)
    own(into, profile)
    if live and by_hand:
        capture_live(folder, printed, robot, profile, name, count, posed=True)
    elif live:
        capture_driven(
            folder, printed, kind, robot, profile,
            camera=name, size=size, count=count, yes=yes, task=task,
        )  # fmt: skip
    if live and not out.exists():
        camera(
            folder, out=out, name=name, columns=columns, rows=rows, square_mm=square_mm,
            marker_mm=marker_mm, dictionary=dictionary,
        )  # fmt: skip
    _find_place(folder, out, kind, printed, into, as_json=as_json)


def _find_place(
    folder: Path, out: Path, kind: Mount, printed: Board, into: Path | None, *, as_json: bool
) -> None:
    """Solve the folder's views for the camera's place, write it and say it."""
    from calibration import camera_file
    from calibration.hand_eye import solve, spread_of
    from calibration.pictures import look, pictures, poses

    before = camera_file.read(out)
    files = pictures(folder)
    seen, taken = look(printed, files)
    lens = before.lens
    if taken != (lens.width_px, lens.height_px):
        raise DataError(
            f"pictures of {lens.width_px} x {lens.height_px} px wanted, as {out} says, found "
            f"{taken[0]} x {taken[1]}; calibrate the camera at this size first"
        )
    tools = poses(folder, files)
    found = solve(kind, printed, before.intrinsics, tools, seen)
    better = camera_file.refined(lens, found.fit.intrinsics)
    place = camera_file.place_of(found, spread_of(found, printed, tools, seen))
    after = before.model_copy(update={"place": place, "lens": better})
    camera_file.write(out, after)
    put(
        into,
        {
            f"cameras.{before.camera}.lens": better.model_dump(),
            f"cameras.{before.camera}.place": place.model_dump(),
        },
    )
    left_out = [files[number].name for number in found.left_out]
    if as_json:
        typer.echo(json.dumps({**after.model_dump(by_alias=True), "left_out": left_out}, indent=1))
        return
    typer.echo(_place_said(found, left_out))
    doubt = 1000 * place.bootstrap_m, math.degrees(place.bootstrap_rad)
    typer.echo(f"resampled views agree to {doubt[0]:.2f} mm, {doubt[1]:.3f} deg")
    typer.echo(f"written to {out}")


def _board(columns: int, rows: int, square_mm: float, marker_mm: float, markers: str) -> Board:
    from calibration.board import Board
    from calibration.complaints import CalibrationError

    try:
        return Board(columns, rows, square_mm / 1000, marker_mm / 1000, markers)
    except CalibrationError as error:
        raise UsageError(str(error)) from error


def _lens_said(found: CameraFile, left_out: list[str]) -> str:
    lens, off = found.lens, found.lens.deviations
    lines = [
        f"fx {lens.fx:.2f} +- {off['fx']:.2f} px   fy {lens.fy:.2f} +- {off['fy']:.2f} px",
        f"cx {lens.cx:.2f} +- {off['cx']:.2f} px   cy {lens.cy:.2f} +- {off['cy']:.2f} px",
        f"{lens.views} views, residual {lens.rms_px:.3f} px rms",
    ]
    return "\n".join([*lines, *([f"left out: {', '.join(left_out)}"] if left_out else [])])


def _place_said(found: HandEye, left_out: list[str]) -> str:
    x, y, z = (1000 * float(value) for value in found.fit.camera[:3, 3])
    doubt = f"{1000 * found.deviation_m:.2f} mm, {math.degrees(found.deviation_rad):.3f} deg"
    gap = f"{1000 * found.gap_m:.2f} mm, {math.degrees(found.gap_rad):.3f} deg rms"
    closed = ", ".join(f"{each.name} {each.rms_px:.2f}" for each in found.closed)
    lines = [
        f"camera at {x:.2f}, {y:.2f}, {z:.2f} mm +- {doubt}",
        f"{len(found.views)} views; the loop closes to {gap}",
        f"closed forms alone, px of the median view: {closed}",
    ]
    return "\n".join([*lines, *([f"left out: {', '.join(left_out)}"] if left_out else [])])


def _missing(error: ImportError) -> UsageError:
    return UsageError(f"{error}; install it: pip install 'vlarl-agent[calibrate]'")
