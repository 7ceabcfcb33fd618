"""`vlarl-agent calibrate ... --live`, workspace, actions, latency: what a person is led through."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.errors import Interrupted, SafetyStop, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.guided.arm import GuidedArm
    from agent.guided.driven import Ask
    from agent.guided.live import Look
    from calibration.board import Board
    from calibration.into import Keys
    from calibration.loop import Mount

    Tell = Callable[[Look], None]

Arm = Annotated[str, typer.Option("--robot", help="franka, or module:Class.")]
Cell = Annotated[str, typer.Option("--profile", metavar="NAME|FILE", help="The robot's cell.")]
Into = Annotated[
    Path | None, typer.Option("--into", metavar="PROFILE", help="Profile file to write it into.")
]
Words = Annotated[str, typer.Option("--task", help="What the robot is told to begin with.")]
Live = Annotated[bool, typer.Option("--live", help="Take the pictures now, into FOLDER.")]
ByHand = Annotated[bool, typer.Option("--by-hand", help="You move the arm; nothing is driven.")]
Count = Annotated[int, typer.Option("--count", min=8, help="Views to take.")]
Size = Annotated[str, typer.Option("--size", metavar="WxH", help="The camera's own picture, px.")]
Yes = Annotated[bool, typer.Option("--yes", help="Consent to every move beforehand.")]

SIMULATED_TASK, TASK = "lift the red cube", "calibrate the cameras"


def say(line: str) -> None:
    """Talk goes to stderr; results alone go to stdout."""
    typer.echo(line, err=True)


def ask(question: str, words: tuple[str, ...]) -> str:
    """One of the words, by its first letter. Raises Interrupted where nobody can answer."""
    shown = "/".join(f"[{word[0]}]{word[1:]}" for word in words)
    while True:
        typer.echo(f"{question} {shown}: ", err=True, nl=False)
        line = sys.stdin.readline()
        if not line:
            raise Interrupted("a person's consent wanted, nobody answers; or give --yes")
        found = [word for word in words if line.strip() and word.startswith(line.strip().lower())]
        if len(found) == 1:
            return found[0]


@contextmanager
def robot_of(name: str, profile: str, task: str) -> Iterator[GuidedArm]:
    """A robot to be guided, at rest and let go of at the end, whatever happens."""
    from agent.guided.arm import GuidedArm
    from agent.guided.variant import loaded
    from agent.registry import make_robot
    from agent.settings import RobotSettings

    cell = loaded(profile) if profile else None
    simulated = cell is None or cell.simulated
    words = task or ("" if cell is None else SIMULATED_TASK if simulated else TASK)
    robot = make_robot(RobotSettings(name=name, profile=profile, task=words))
    arm = (
        GuidedArm(robot, (0.0, 0.0, 0.0))
        if cell is None
        else GuidedArm(robot, cell.proprio.origin_m, cell.anchor.target)
    )
    try:
        yield arm
    finally:
        robot.close()


def asking(arm: GuidedArm) -> Ask:
    """`ask` while the arm is held where it is, and the terminal's keys are not the operator's."""
    from agent.protocols import Consoled

    def asked(question: str, words: tuple[str, ...]) -> str:
        robot = arm.robot
        if isinstance(robot, Consoled):
            robot.attend(keys=False)
        try:
            return arm.meanwhile(partial(ask, question, words))
        finally:
            if isinstance(robot, Consoled):
                robot.attend(keys=True)

    return asked


def capture_driven(  # noqa: PLR0913  one parameter an option
    folder: Path,
    board: Board,
    mount: Mount,
    robot: str,
    profile: str,
    *,
    camera: str,
    size: str,
    count: int,
    yes: bool,
    task: str,
) -> None:
    """Drive the robot through poses worth a picture, with consent, into a folder."""
    from agent.guided.driven import Wanted, collect
    from agent.guided.folder import CaptureFolder
    from agent.guided.variant import bounds_of, home_of, loaded, uncut

    file = uncut(_needed(profile), camera, _size(size), folder)
    cell = loaded(str(file))
    kept = CaptureFolder(folder, board, posed=True)
    if already := kept.open():
        say(f"{folder}: {already} pictures taken before, going on")
    wanted = Wanted(
        camera, board, mount, bounds_of(cell), home_of(cell), count, "given" if yes else "each"
    )
    if kept.views >= count:
        return
    with robot_of(robot, str(file), task) as arm:
        if (
            not yes
            and ask("the arm will move to its start; is its space clear?", ("yes", "no")) != "yes"
        ):
            raise Interrupted("nothing has moved")
        try:
            collect(arm, kept, wanted, asking(arm), say)
        except SafetyStop as stop:
            raise SafetyStop(
                f"{stop}; {kept.views} views are kept, the same command goes on with others"
            ) from stop
    say(f"{kept.views} views in {folder}")


def capture_live(  # noqa: PLR0913  one parameter an option
    folder: Path, board: Board, robot: str, profile: str, camera: str, count: int, *, posed: bool
) -> None:
    """Look on while a person moves board or arm, and keep what helps."""
    from agent.guided.folder import CaptureFolder
    from agent.guided.live import collect
    from agent.registry import make_onlooker
    from agent.settings import RobotSettings

    kept = CaptureFolder(folder, board, posed=posed)
    kept.open()
    onlooker = make_onlooker(
        RobotSettings(name=robot, profile=_needed(profile)), camera, posed=posed
    )
    try:
        with _screen() as tell:
            collect(onlooker, kept, board, tell, count=count, posed=posed)
    except KeyboardInterrupt:
        raise Interrupted(f"{kept.views} views are kept in {folder}") from None
    finally:
        onlooker.close()
    say(f"{kept.views} views in {folder}")


def put(file: Path | None, tables: dict[str, Keys]) -> None:
    """Write what was found into a profile, where one was named."""
    if file is None:
        return
    from calibration.complaints import ProfileError
    from calibration.into import write_into

    try:
        found = write_into(file, tables)
    except ProfileError as error:
        raise UsageError(str(error)) from error
    say(f"written into {file}: {', '.join(tables)}; its hash is now {found.sha256[:12]}")


def own(file: Path | None, profile: str) -> None:
    """Refuse a profile to write into that is of another robot or model, before anything moves."""
    if file is None:
        return
    from agent.guided.variant import loaded
    from calibration.complaints import ProfileError
    from calibration.into import writable

    try:
        writable(file)
    except ProfileError as error:
        raise UsageError(str(error)) from error
    mine = loaded(str(file.resolve()))
    if not profile:
        return
    cell = loaded(profile)
    for key in ("model", "name"):
        ours, theirs = getattr(cell, key), getattr(mine, key)
        if ours != theirs:
            raise UsageError(
                f"--into a profile of {key} {ours!r} wanted, {file} is of {theirs!r}; give the "
                "file that --profile names"
            )


def _needed(profile: str) -> str:
    if not profile:
        raise UsageError("a cell's profile wanted with --live, found none; give --profile")
    return profile


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise UsageError(f"--size such as 640x480 wanted, found {text!r}")
    return int(width), int(height)


@contextmanager
def _screen() -> Iterator[Tell]:
    """Where looks are told: a panel that follows on a terminal, a line a change elsewhere."""
    from rich.console import Console
    from rich.live import Live as Panel

    from agent.cli.live_panel import panel

    console = Console(stderr=True)
    if console.is_terminal:
        with Panel(console=console, refresh_per_second=8, transient=True) as shown:
            yield lambda look: shown.update(panel(look))
        return
    last = [""]

    def line(look: Look) -> None:
        told = f"view {look.views}: {look.hint or look.covered.wish}".rstrip(": ")
        if told != last[0]:
            say(told)
            last[0] = told

    yield line
