"""`vlarl-agent calibrate workspace | actions | latency`: what an arm may reach, does, and when."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.calibrate import plainly
from agent.cli.guided import Arm, Cell, Into, Words, Yes, ask, own, put, robot_of, say
from agent.cli.options import AsJson
from agent.errors import Interrupted, RobotFault, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from agent.guided.arm import GuidedArm
    from calibration.into import Value
    from calibration.profile import Profile

Corner = Annotated[
    list[str] | None,
    typer.Option("--corner", metavar="X,Y,Z", help="A corner in m, base frame; twice or more."),
]
Picture = Annotated[Path | None, typer.Option("--picture", metavar="FILE", help="A PNG to draw.")]
Margin = Annotated[
    float, typer.Option("--margin-mm", min=-1000, max=1000, help="Added on every side.")
]


@plainly
def workspace(  # noqa: PLR0913  one parameter an option
    *,
    profile: Cell,
    corner: Corner = None,
    margin_mm: Margin = 0.0,
    picture: Picture = None,
    robot: Arm = "franka",
    into: Into = None,
    as_json: AsJson = False,
) -> None:
    """Teach the tool's box: by numbers, or by moving the arm to its corners by hand."""
    from agent.guided.variant import bounds_of, home_of, loaded
    from calibration.reach import tool_of
    from calibration.teaching import box_about, draw, reached

    if picture is not None and picture.suffix.lower() != ".png":
        raise UsageError(f"--picture: a .png file wanted, found {picture}")
    cell = loaded(profile)
    own(into, profile)
    points = [_point(text) for text in corner or []] or _taught(robot, profile)
    box = box_about(points, margin_mm / 1000)
    found = reached(box, bounds_of(cell).reach, home_of(cell))
    if picture is not None:
        draw(box, found, tool_of(home_of(cell))[:3, 3], picture)
        say(f"drawn in {picture}")
    table = {"low_m": list(box.low_m), "high_m": list(box.high_m)}
    if as_json:
        typer.echo(json.dumps({**table, "reached": found.share}, indent=1))
    else:
        typer.echo(f"low_m = {table['low_m']}\nhigh_m = {table['high_m']}")
        typer.echo(f"the arm reaches {100 * found.share:.0f} % of it, tool turned as at home")
    put(into, {"workspace": table})


@plainly
def actions(
    *,
    robot: Arm = "franka",
    profile: Cell = "",
    task: Words = "",
    yes: Yes = False,
    into: Into = None,
    as_json: AsJson = False,
) -> None:
    """Move a little along every axis, and say whether the arm does what it is told.

    Ends with code 4 where it does not.
    """
    from agent.guided.actions import try_actions

    cell = _cell(profile, into)
    was = None if cell is None else cell.response
    with robot_of(robot, profile, task) as arm:
        _begin(arm, "it will move by some centimetres and turn about each axis", yes=yes)
        test = try_actions(arm, was)
    if as_json:
        lines = [
            {"name": t.name, "well": t.well, "found": t.found, "advice": t.advice}
            for t in test.told
        ]
        typer.echo(json.dumps({"well": test.well, "tests": lines}, indent=1))
    else:
        for each in test.told:
            typer.echo(f"{'ok  ' if each.well else 'FAIL'} {each.name}: {each.found}")
            if each.advice:
                typer.echo(f"     {each.advice}")
    if not test.well:
        bad = ", ".join(each.name for each in test.told if not each.well)
        raise RobotFault(f"an arm that does what it is told wanted, found amiss: {bad}")
    if was is None:
        put(into, {"response": test.response.model_dump()})


@plainly
def latency(  # noqa: PLR0913  one parameter an option
    *,
    robot: Arm = "franka",
    profile: Cell = "",
    task: Words = "",
    yes: Yes = False,
    seconds: Annotated[float, typer.Option(min=4.0, max=60.0, help="How long to swing.")] = 6.0,
    into: Into = None,
    as_json: AsJson = False,
) -> None:
    """Swing the arm a little, and find how late it follows and how late pictures show it."""
    from agent.guided.timing import time_arm

    _cell(profile, into)
    with robot_of(robot, profile, task) as arm:
        _begin(arm, f"it will swing by some centimetres for {seconds:g} s", yes=yes)
        found = time_arm(arm, seconds)
    table: dict[str, Value] = {
        "command_s": found.command.seconds,
        "command_deviation_s": found.command.deviation_s,
        "frame_s": {name: each.seconds for name, each in found.frames.items()},
        "frame_deviation_s": {name: each.deviation_s for name, each in found.frames.items()},
    }
    if as_json:
        typer.echo(json.dumps(table, indent=1))
    else:
        shown = {"from a command to the arm's motion": found.command} | {
            f"from the motion to the picture of {name}": each for name, each in found.frames.items()
        }
        for name, each in shown.items():
            typer.echo(
                f"{name}: {1000 * each.seconds:.0f} +- {1000 * each.deviation_s:.0f} ms "
                f"(correlation {each.correlation:.2f})"
            )
    put(into, {"latency": table})


def _cell(profile: str, into: Path | None) -> Profile | None:
    from agent.guided.variant import loaded

    if not profile:
        if into is not None:
            raise UsageError(f"--into {into} needs the --profile that the robot runs with")
        return None
    cell = loaded(profile)
    own(into, profile)
    return cell


def _begin(arm: GuidedArm, what: str, *, yes: bool) -> None:
    if not yes and ask(f"{what}; is its space clear?", ("yes", "no")) != "yes":
        raise Interrupted("nothing has moved")
    arm.begin()


def _point(text: str) -> list[float]:
    try:
        x, y, z = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--corner X,Y,Z in metres wanted, found {text!r}") from None
    return [x, y, z]


def _taught(robot: str, profile: str) -> list[NDArray[np.float64]]:
    """Where the tool is at each Enter, moved there by hand; an empty end is "done"."""
    from agent.guided.variant import loaded
    from agent.registry import make_onlooker
    from agent.settings import RobotSettings

    camera = loaded(profile).cameras[0].name
    onlooker = make_onlooker(RobotSettings(name=robot, profile=profile), camera, posed=True)
    points: list[NDArray[np.float64]] = []
    try:
        while True:
            word = ask(f"{len(points)} corners; move the tool to a corner", ("take", "done"))
            if word == "done":
                return points
            pose = onlooker.look().pose
            if pose is not None:
                points.append(pose[:3])
                say("x {:.3f}, y {:.3f}, z {:.3f} m".format(*pose[:3]))
    finally:
        onlooker.close()
