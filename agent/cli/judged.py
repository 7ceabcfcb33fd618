"""`vlarl-agent episodes label | explain`: what people say of an episode, and what adapters do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.options import AsJson, RunFolder

if TYPE_CHECKING:
    from agent.learn.recount import Recount

EpisodeId = Annotated[str, typer.Argument(metavar="ID", help="Episode id, as `ls` prints it.")]


def label(
    run: RunFolder,
    episode: EpisodeId,
    kind: Annotated[str, typer.Argument(metavar="LABEL", help="success, failure or note.")],
    text: Annotated[list[str] | None, typer.Argument(metavar="[TEXT]", help="Of a note.")] = None,
    *,
    who: Annotated[str, typer.Option("--who", help="Who says so; this user.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say how an episode went, or note something; the recording itself stays as it is."""
    import json

    from agent import logbook
    from agent.logbook.plain import plain

    made = logbook.label(run, episode, kind, " ".join(text or ()), who)
    if as_json:
        typer.echo(json.dumps(plain(made)))
    else:
        typer.echo(f"{made.when}  episode {made.episode}: {made.label} {made.text}".rstrip())


def explain(
    run: RunFolder,
    episode: EpisodeId,
    *,
    adapter: Annotated[
        str, typer.Option("--adapter", help="Adapter to ask; the one that acts now.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Weigh an episode's decisions anew: how likely another adapter would have made each."""
    import json

    from agent.logbook.plain import plain

    found = _recount(run, episode, adapter)
    if as_json:
        typer.echo(json.dumps({**plain(found), "ratio": plain(found.ratio)}))
    else:
        from agent.cli.telling_episode import recounted

        typer.echo(recounted(found))


def _recount(run: Path, episode: str, adapter: str) -> Recount:
    from agent.configuration import from_dict
    from agent.errors import UsageError
    from agent.learn.ledger import BASE, Ledger
    from agent.store.reader import ZarrReader
    from agent.store.run import open_run

    settings = from_dict(open_run(run).settings)
    ledger = Ledger(run)
    ledger.read()
    name = adapter or ledger.current
    known = {BASE, *(report.adapter for report in ledger.reports if report.kept)}
    if name not in known:
        raise UsageError(
            f"no adapter {name[:40]!r} was kept by this run; it has {', '.join(sorted(known))}"
        )
    scored = ZarrReader(run).read(episode)

    from agent.cli.build import make_policy  # and with it torch, once all else is right
    from agent.learn.recount import recount

    policy = make_policy(settings)
    policy.load(ledger.folder(name), name)
    return recount(policy, scored)
