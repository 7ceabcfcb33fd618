"""`vlarl-agent export`: episodes and adapters for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.options import AsJson, RunFolder

if TYPE_CHECKING:
    from agent.export.folder import Done, Job
    from agent.export.part import Format

FormatName = Annotated[
    str, typer.Argument(metavar="FORMAT", help="lerobot, rerun, mp4, mcap or peft.")
]
OutFolder = Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write.")]
Ids = Annotated[str, typer.Option("--episodes", help="Ids and ranges, such as 1-8,000012.")]
Only = Annotated[
    str, typer.Option("--only", help="Verdicts to take: success,failure,unknown; all of them.")
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with an export that was broken off.")]
Skip = Annotated[bool, typer.Option("--skip-damaged", help="Leave out episodes that are damaged.")]
Caption = Annotated[bool, typer.Option("--caption", help="mp4: words under each picture.")]
Fps = Annotated[
    float | None, typer.Option("--fps", help="Control steps a second; asked of the robot.")
]
Adapter = Annotated[str, typer.Option("--adapter", help="peft: which one; the one that acts.")]
Base = Annotated[
    Path | None, typer.Option("--base", metavar="FOLDER", help="peft: checkpoint; the run's own.")
]
Licence = Annotated[
    str, typer.Option("--licence", help="peft: for the card; apache-2.0 over the shipped policy.")
]


def export(  # noqa: PLR0913  one parameter an option
    form: FormatName,
    run: RunFolder,
    out: OutFolder,
    *,
    ids: Ids = "",
    only: Only = "",
    resume: Resume = False,
    skip_damaged: Skip = False,
    caption: Caption = False,
    fps: Fps = None,
    adapter: Adapter = "",
    base: Base = None,
    licence: Licence = "",
    as_json: AsJson = False,
) -> None:
    """Write a run's episodes, or its adapter, in the format of another tool."""
    from agent.export.formats import check_format

    check_format(form)
    about_episodes: dict[str, object] = {
        "--episodes": ids, "--only": only, "--resume": resume, "--caption": caption, "--fps": fps,
        "--skip-damaged": skip_damaged,
    }  # fmt: skip
    about_adapter: dict[str, object] = {"--adapter": adapter, "--base": base, "--licence": licence}
    _refuse(form, about_episodes if form == "peft" else about_adapter)
    if form == "peft":
        done = _adapter(run, out, adapter, base, licence)
    else:
        from agent.export.chosen import Choice, choose
        from agent.export.folder import Job
        from agent.export.formats import Wishes, make_format
        from agent.export.source import open_source
        from agent.store.reader import ZarrReader

        source, reader = open_source(run, fps), ZarrReader(run)
        chosen = choose(reader, Choice(ids, tuple(only.split(",")) if only else ()))
        job = Job(source.run, reader, chosen, out, skip_damaged)
        done = _episodes(job, make_format(form, source, Wishes(caption)), resume=resume)
    _report(done, as_json=as_json)


def _refuse(form: str, flags: dict[str, object]) -> None:
    from agent.errors import UsageError

    given = [name for name, value in flags.items() if value]
    if given:
        raise UsageError(f"format {form} takes no {', '.join(given)}; leave it out")


def _episodes(job: Job, form: Format, *, resume: bool) -> Done:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Left

    from agent.errors import Interrupted
    from agent.export.folder import export as write

    columns = (TextColumn(f"export {form.name}"), BarColumn(), MofNCompleteColumn(), Left())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=len(job.rows))

        def note(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        try:
            return write(job, form, resume=resume, on_done=note)
        except KeyboardInterrupt:
            raise Interrupted(f"stopped; what is in {job.out} stays: go on with --resume") from None


def _adapter(run: Path, out: Path, adapter: str, base: Path | None, licence: str) -> Done:
    from agent.cli.shipped import checkpoint_of, shipped
    from agent.export.adapter_folder import AdapterJob, export_adapter
    from agent.store.run import open_run

    found = open_run(run)
    robot = str(found.settings["robot"]["name"])
    checkpoint = base or checkpoint_of(str(found.settings["policy"]["checkpoint"]), robot)
    usual = "apache-2.0" if checkpoint == shipped(robot) else "other"
    return export_adapter(AdapterJob(run, found, out, checkpoint, adapter, licence or usual))


def _report(done: Done, *, as_json: bool) -> None:
    import json
    from dataclasses import asdict

    if as_json:
        typer.echo(json.dumps(asdict(done), indent=1))
        return
    what = f"{done.episodes} episodes" if done.episodes else "1 adapter"
    left_out = f"; left out as damaged: {', '.join(done.damaged)}" if done.damaged else ""
    typer.echo(f"{done.out}: {done.format}, {what} in {done.files} files{left_out}")
