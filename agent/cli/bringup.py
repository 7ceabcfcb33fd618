"""`vlarl-agent bringup`: what a robot needs beside the agent, for those who use no launch files."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.options import ProfileName

if TYPE_CHECKING:
    from agent.children import Child

Which = Annotated[str, typer.Argument(metavar="ROBOT", help="A registered robot.")]
Simulated = Annotated[bool, typer.Option("--simulated", help="Start a simulated arm as well.")]
SimOptions = Annotated[
    str, typer.Option(metavar="TEXT", help="Options of the simulated arm, such as '--shift ...'.")
]


def bringup(
    robot: Which = "franka",
    *,
    profile: ProfileName = None,
    simulated: Simulated = False,
    sim_options: SimOptions = "",
) -> None:
    """Start a robot's guard in the foreground; Ctrl-C ends it, with the arm held.

    Nothing is ever started again: where one process ends by itself, all do.
    """
    from agent.cell import cell_of
    from agent.children import Children
    from agent.errors import Interrupted, UsageError
    from agent.registry import companions_of
    from agent.settings import RobotSettings

    beside = companions_of(robot)
    named = profile or (beside.simulated_profile if simulated else beside.profile)
    cell = cell_of(RobotSettings(name=robot, profile=named))
    if simulated and cell is not None and not cell.simulated:
        raise UsageError(f"a profile of a simulated cell wanted with --simulated, found {named!r}")
    if sim_options and not simulated:
        raise UsageError(f"--sim-options {sim_options!r} need --simulated")
    children = [_python("guard", beside.guard, "--profile", named)]
    if simulated:
        told = shlex.split(sim_options) or beside.simulated_options
        children.append(_python("simulated arm", beside.simulated, "--profile", named, *told))
    received: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda each, _frame: received.append(each))
    running = Children(children, _environment())
    try:
        running.start()
        sys.stderr.write(
            f"started {' and '.join(child.name for child in children)}; Ctrl-C ends all. Now: "
            f"vlarl-agent run --robot {robot} --profile {named} --task 'lift the red cube'\n"
        )
        running.watch(lambda: bool(received))
    finally:
        running.end()
    raise Interrupted("ended on request, the guard first")


def _python(name: str, module: str, *told: str) -> Child:
    from agent.children import Child

    # -P: a folder called `bridges` where the command was typed is not ours.
    return Child(name, (sys.executable, "-P", "-m", module, *told))


def _environment() -> dict[str, str]:
    """Ours, with the rooms findable wherever this package was imported from."""
    rooms = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, (rooms, os.environ.get("PYTHONPATH", ""))))
    return {**os.environ, "PYTHONPATH": path}
