"""`vlarl-agent reward`: labels for a judge out of runs, and how far a judge can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.options import AsJson, Sets
from agent.cli.reward_calibrate import calibrate
from agent.cli.reward_eval import evaluate

if TYPE_CHECKING:
    from agent.labelling import Counted, Thresholds

app = typer.Typer(help="Judges: teach them, and hold them to the truth.", no_args_is_help=True)
app.command("eval")(evaluate)
app.command("calibrate")(calibrate)

Runs = Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of runs.")]


@app.command()
def label(
    runs: Runs,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="Folder to keep labels in.")
    ] = None,
    picture: Annotated[
        list[str] | None,
        typer.Option(metavar="ID.png", help="Draw how this episode of the first run is cut."),
    ] = None,
    sets: Sets = None,
    as_json: AsJson = False,
) -> None:
    """Cut episodes into milestones and keyframes, and make a judge's lessons of them."""
    from agent.cli.thresholds import thresholds
    from agent.errors import UsageError

    told = thresholds(sets or ())
    if out is None and not picture:
        raise UsageError("--out FOLDER for labels or --picture ID.png wanted, found neither")
    for each in picture or ():
        _draw(runs[0], Path(each), told)
    if out is not None:
        from agent.labelling import label_runs

        counted = label_runs(runs, out, told, _tell)
        typer.echo(_as_json(counted, out) if as_json else _as_text(counted, out))


@app.command()
def train(  # noqa: PLR0913  one parameter an option
    *,
    labels: Annotated[
        list[Path], typer.Option(metavar="FOLDER", help="Labels to learn from; may be repeated.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Folder to write.")],
    model: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Model to start from, else a small one.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Teach every weight, not LoRA alone.")
    ] = False,
    tower: Annotated[
        Path | None,
        typer.Option(metavar="CHECKPOINT", help="Policy that lends a fresh one its eyes."),
    ] = None,
    half: Annotated[bool, typer.Option("--half", help="Keep the weights in float16.")] = False,
    steps: Annotated[int, typer.Option(min=1, help="Gradient steps of the schedule.")] = 2000,
    until: Annotated[int, typer.Option(min=0, help="Stop after this one; 0: the last.")] = 0,
    views: Annotated[int, typer.Option(min=1, max=4096, help="Views a gradient step.")] = 24,
    learning_rate: Annotated[
        float, typer.Option(min=0, max=1, help="Peak AdamW step size.")
    ] = 1e-3,
    rank: Annotated[int, typer.Option(min=1, max=1024, help="LoRA rank.")] = 16,
    held_out: Annotated[float, typer.Option(min=0, max=0.9, help="Share of starts apart.")] = 0.1,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Fixes every random choice.")] = 0,
) -> None:
    """Teach a vision-language model to judge, by the labels of `reward label`."""
    from agent.cli.stopping import stoppable
    from agent.reward.course import Course, teach
    from agent.reward.training import Progress, TrainSettings
    from agent.teaching import lessons_of

    def tell(done: Progress) -> None:
        line = f"step {done.step}/{done.steps}  loss {done.loss:.4f}"
        typer.echo(f"{line}  held out {done.held_out:.4f}", err=True)

    told = TrainSettings(
        steps=steps, until=until, views=views, learning_rate=learning_rate, full=full, rank=rank,
        seed=seed,
    )  # fmt: skip
    lessons, apart = lessons_of(labels, held_out, on_episode=_tell)
    said = "stopping after this step; the same command goes on from there"
    with stoppable("reward train", said) as stop_wanted:
        teach(lessons, apart, Course(out, model, tower, half, told), tell, stop_wanted)
    typer.echo(f"judge written to {out}")


def _draw(run: Path, file: Path, told: Thresholds) -> None:
    from agent.labelling import layout_of_run
    from agent.logbook.truth import truths
    from agent.report.segmentation import picture
    from agent.reward.segments import segment, series_of
    from agent.store.reader import ZarrReader

    episode = ZarrReader(run).read(file.stem).episode
    series = series_of(episode, told.layout or layout_of_run(run))
    known = {each.id: each.success for each in truths(run)}.get(episode.id)
    outcome = {True: "success", False: "failure", None: "outcome unknown"}[known]
    picture(file, episode, series, segment(series, told.segments), outcome)
    typer.echo(f"{file} drawn", err=True)


def _tell(done: int) -> None:
    if done % 100 == 0:
        typer.echo(f"{done} episodes read", err=True)


def _as_text(counted: Counted, out: Path) -> str:
    from agent.cli.tables import table

    rows = [(question, why, f"{n}") for (question, why), n in sorted(counted.counts.items())]
    head = (
        f"{counted.episodes} episodes: {counted.succeeded} succeeded, {counted.failed} failed, "
        f"{counted.unknown} of unknown outcome, which give no labels"
    )
    total = f"{sum(counted.counts.values())} labels are in {out}"
    return "\n".join([head, table(("question", "why", "labels"), rows, "001"), total])


def _as_json(counted: Counted, out: Path) -> str:
    import json
    from dataclasses import asdict

    counts = [
        {"question": question, "why": why, "labels": number}
        for (question, why), number in sorted(counted.counts.items())
    ]
    return json.dumps({**asdict(counted), "counts": counts, "out": str(out)})
