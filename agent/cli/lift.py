"""`vlarl-agent lift`: let learning go on after an alarm was answered."""

from __future__ import annotations

from typing import Annotated

import typer

from agent.cli.options import RunFolder


def lift(
    folder: RunFolder,
    *,
    why: Annotated[str, typer.Option("--why", help="What was put right; kept in the log.")],
    who: Annotated[str, typer.Option("--who", help="Who says so; this user.")] = "",
) -> None:
    """Let a run learn again. What was recorded under suspicion stays out of learning."""
    import getpass

    from agent import suspension
    from agent.store.reader import ZarrReader
    from agent.store.run import open_run

    open_run(folder)
    ids = ZarrReader(folder).ids()
    standing = suspension.read(folder).standing
    row = suspension.lift(folder, who or getpass.getuser(), why, ids[-1] if ids else "")
    for each in standing:
        typer.echo(f"was suspended by {each.watch}, {each.when}: {each.why}")
    typer.echo(f"lifted by {row.who}: {row.why}; learning goes on with the next episode")
