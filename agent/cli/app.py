"""The command `vlarl-agent`: its commands, and how an error ends one."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from agent.cli import (
    action_ranges,
    bringup,
    calibrate,
    cell_tests,
    config,
    demos,
    diagnose,
    doctor,
    episodes,
    evaluate,
    export,
    judged,
    lift,
    log,
    plan,
    pretrain,
    prime,
    report,
    reward,
    run,
    safety,
    tui,
)
from agent.cli.talk import Talk, silence_unasked
from agent.errors import VlarlError

app = typer.Typer(
    name="vlarl-agent",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help needs no import of Rich
    pretty_exceptions_enable=False,  # a bug keeps Python's own traceback
)
app.command("run")(run.run)
app.command("eval")(evaluate.evaluate)
app.command("tui")(tui.tui)
app.add_typer(log.app, name="log")
app.command("lift")(lift.lift)
app.command("report")(report.report)
app.add_typer(episodes.app, name="episodes")
episodes.app.command("label")(judged.label)
episodes.app.command("explain")(judged.explain)
app.command("export")(export.export)
app.command("demos")(demos.demos)
app.command("pretrain")(pretrain.pretrain)
app.command("plan")(plan.plan)
app.command("prime")(prime.prime)
app.add_typer(reward.app, name="reward")
app.add_typer(config.app, name="config")
app.add_typer(calibrate.app, name="calibrate")
calibrate.app.command("statistics")(action_ranges.statistics)
calibrate.app.command("workspace")(cell_tests.workspace)
calibrate.app.command("actions")(cell_tests.actions)
calibrate.app.command("latency")(cell_tests.latency)
app.command("diagnose")(diagnose.diagnose)
app.add_typer(safety.app, name="safety")
app.command("bringup")(bringup.bringup)
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Run the command line. Ends the process with a code of agent/errors.py, 0 when all is well."""
    try:
        app(args=without_ros(sys.argv[1:]))
    except VlarlError as error:
        line = " ".join(str(error).split()) or type(error).__name__
        sys.stderr.write(f"error: {line}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted\n")
        sys.exit(130)
    except BrokenPipeError:
        # The reader has gone: nothing more can be said, and Python must not try to when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def without_ros(arguments: Sequence[str]) -> list[str]:
    """Leave out what ROS 2 adds to a command: from --ros-args to a -- of its own, or to the end.

    The same rule as rclpy.utilities.remove_ros_args, which `--help` cannot wait for.
    """
    kept, ros = [], False
    for argument in arguments:
        if argument == "--ros-args":
            ros = True
        elif ros and argument == "--":
            ros = False
        elif not ros:
            kept.append(argument)
    return kept


def _version(wanted: bool) -> None:  # noqa: FBT001  typer calls it so
    if wanted:
        from importlib.metadata import version

        typer.echo(f"vlarl-agent {version('vlarl-agent')}")
        raise typer.Exit


@app.callback()
def _every_command(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Talk more on stderr.")] = False,
) -> None:
    """Run a vision-language-action policy on a robot and adapt it between episodes."""
    logging.basicConfig(
        handlers=[Talk()],
        level=logging.INFO if verbose else logging.WARNING,
        format="%(levelname)s %(name)s: %(message)s",
    )
    silence_unasked()
