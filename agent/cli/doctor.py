"""`vlarl-agent doctor`: whether this machine can run the agent, and what to do where not."""

from __future__ import annotations

import typer

from agent.cli.options import AsJson, ProfileName, RobotName


def doctor(
    *, robot: RobotName = None, profile: ProfileName = None, as_json: AsJson = False
) -> None:
    """Check this machine, or with --robot a real arm's graph, commanding nothing.

    Ends with 0 when `vlarl-agent run` can work, else as that would.
    """
    from agent import doctor as checks
    from agent.cli.options import resolve

    settings = resolve(None, None, robot=robot, profile=profile).settings
    found = checks.examine() if robot is None else checks.examine_robot(settings.robot)
    typer.echo(checks.as_json(found) if as_json else checks.as_text(found))
    raise typer.Exit(checks.exit_code(found))
