"""`vlarl-agent reward eval`: how far a judge can be trusted, in tables, JSON and a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.options import AsJson, ConfigFile, Reward, Sets

if TYPE_CHECKING:
    from agent.appraisal import Appraisal, Quality
    from agent.logbook import Rate
    from agent.reward.quality import Estimate

Runs = Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of runs.")]


def evaluate(  # noqa: PLR0913  one parameter an option
    runs: Runs,
    *,
    recorded: Annotated[
        bool, typer.Option("--recorded", help="Take what the runs' own judge said; ask nobody.")
    ] = False,
    config: ConfigFile = None,
    reward: Reward = None,
    sets: Sets = None,
    picture: Annotated[Path | None, typer.Option(metavar="FILE.png", help="Draw it, too.")] = None,
    as_json: AsJson = False,
) -> None:
    """Hold a judge against the truth: the simulator's verdict, or labels that people typed."""
    from agent.appraisal import appraise, judged

    judge = None
    if not recorded:
        from agent.cli.judges import make_judge
        from agent.cli.options import resolve

        judge = make_judge(resolve(config, sets, reward=reward).settings)
    found = appraise(list(judged(runs, judge, _tell)))
    if picture is not None:
        from agent.report.judging import picture as draw

        draw(picture, found)
    typer.echo(to_json(found) if as_json else to_text(found))


def _tell(done: int) -> None:
    if done % 50 == 0:
        typer.echo(f"{done} episodes judged", err=True)


def to_text(found: Appraisal) -> str:
    """Tables for people."""
    from agent.cli.tables import facts, table

    whole = found.whole
    said = whole.confusion
    silent = f", {whole.silent} without an answer" if whole.silent else ""
    head = facts(
        [
            ("judge", ", ".join(found.sources) or "none answered"),
            ("episodes", f"{whole.episodes}{silent}; {found.unknown} more of unknown outcome"),
            ("truth", said.against),
            ("success", f"said so {said.true_success}, said failure {said.false_failure}"),
            ("failure", f"said success {said.false_success}, said so {said.true_failure}"),
            ("said unknown", str(said.unknown)),
            ("accuracy", _rate(whole.accuracy)),
            ("false positives", _rate(whole.false_positives)),
            ("false negatives", _rate(whole.false_negatives)),
            ("area under ROC", _estimate(whole.roc.area if whole.roc else None)),
            ("Brier score", "-" if whole.brier is None else f"{whole.brier:.4f}"),
            ("progress, order", _estimate(whole.order)),
            ("progress, phase", _estimate(whole.phase)),
            ("  in failures", _estimate(whole.phase_of_failures)),
        ]
    )
    heads = ("task", "n", "accuracy", "false pos.", "area", "order", "phase")
    tasks = table(heads, [_row(each) for each in found.tasks], "0100000")
    odds = table(
        ("odds given", "came true"),
        [(f"{100 * b.low:.0f} to {100 * b.high:.0f} %", _rate(b.came)) for b in whole.bins],
    )
    return "\n\n".join([head, tasks, odds])


def to_json(found: Appraisal) -> str:
    """Everything, for programs."""
    import json

    return json.dumps(values(found))


def values(found: Appraisal) -> dict[str, object]:
    """The appraisal as plain values."""
    from agent.logbook.plain import plain

    made = plain(found)
    if not isinstance(made, dict):
        raise TypeError(type(made))
    return made


def _row(each: Quality) -> tuple[str, ...]:
    return (
        each.name[:22],
        str(each.episodes),
        f"{100 * each.accuracy.share:.0f} %",
        f"{each.false_positives.won}/{each.false_positives.tried}",
        "-" if each.roc is None else f"{each.roc.area.value:.3f}",
        *("-" if e is None else f"{e.value:.2f}" for e in (each.order, each.phase)),
    )


def _rate(rate: Rate) -> str:
    bounds = f"95 % interval {100 * rate.low:.1f} to {100 * rate.high:.1f} %"
    return f"{rate.won}/{rate.tried}  {100 * rate.share:.1f} %  {bounds}"


def _estimate(found: Estimate | None) -> str:
    if found is None:
        return "-"
    bounds = f"95 % interval {found.low:.3f} to {found.high:.3f}"
    return f"{found.value:.3f}  {bounds}, {found.n} episodes"
