"""`vlarl-agent doctor`: whether this machine can run the agent, and what to do where not."""

from __future__ import annotations

import typer

from agent.cli.options import AsJson


def doctor(*, as_json: AsJson = False) -> None:
    """Check this machine; ends with 0 when `vlarl-agent run` can work, else as that would."""
    from agent import doctor as checks

    found = checks.examine()
    typer.echo(checks.as_json(found) if as_json else checks.as_text(found))
    raise typer.Exit(checks.exit_code(found))
