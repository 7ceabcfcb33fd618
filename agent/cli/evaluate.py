"""`vlarl-agent eval`: greedy success of an adapter, or of two on the same start states."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from agent.cli.options import (
    AsJson,
    Checkpoint,
    ConfigFile,
    ProfileName,
    Render,
    RobotName,
    Sets,
    Shift,
    TaskName,
    resolve,
)

if TYPE_CHECKING:
    from agent.episode import Task, TaskCard
    from agent.evaluation import Trial
    from agent.interval import Paired
    from agent.protocols import AdaptablePolicy, Robot
    from agent.settings import RobotSettings, Settings

Adapter = Annotated[
    list[str] | None,
    typer.Option(
        "--adapter",
        metavar="base|RUN[:NAME]|FOLDER",
        help="Adapter to score; give two to compare them. A run alone means its current one.",
    ),
]
Split = Annotated[
    Literal["held_out", "gate", "train"] | None,
    typer.Option(help="Which start states to score on; held_out where nothing is said."),
]
States = Annotated[
    int, typer.Option("--states", "--trials", min=1, help="Start states a task, at most.")
]
SuiteName = Annotated[
    str | None,
    typer.Option("--suite", help="A published suite by its protocol, such as libero_object."),
]
Workers = Annotated[
    int, typer.Option("--workers", min=1, help="Simulated robots side by side, of a suite.")
]
Devices = Annotated[
    str,
    typer.Option(
        metavar="all|NAME,...",
        help="Devices that each hold a copy of the policy and share a suite's views.",
    ),
]
Tries = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Keeps a suite's tries; the same command goes on."),
]


def evaluate(  # noqa: PLR0913  one parameter an option
    *,
    adapter: Adapter = None,
    config: ConfigFile = None,
    sets: Sets = None,
    robot: RobotName = None,
    task: TaskName = None,
    profile: ProfileName = None,
    shift: Shift = None,
    checkpoint: Checkpoint = None,
    render: Render = None,
    split: Split = None,
    states: States = 50,
    suite: SuiteName = None,
    workers: Workers = 1,
    devices: Devices = "",
    out: Tries = None,
    as_json: AsJson = False,
) -> None:
    """Attempt every chosen start state once, greedily, without recording or learning."""
    from agent.cli import suite as suites
    from agent.errors import UsageError

    names = adapter or ["base"]
    if len(names) > 2:
        raise UsageError(f"one or two --adapter wanted, found {len(names)}")
    resolved = resolve(
        config, sets, robot=robot, task=task, profile=profile, shift=shift, checkpoint=checkpoint,
        render=render,
    )  # fmt: skip
    named = [(name, _folder(name)) for name in names]
    if suite is not None:
        if split is not None:
            raise UsageError(
                f"--split {split}: a suite is tried from its first stored start states"
            )
        asked = suites.Asked(suite, states, workers, devices, out)
        suites.evaluate_suite(resolved, asked, named, as_json=as_json)
    elif workers > 1 or devices or out is not None:
        raise UsageError(
            "--workers, --devices and --out belong to a --suite; name one, such as libero_object"
        )
    else:
        _evaluate_split(resolved.settings, named, split or "held_out", states, as_json=as_json)


def _evaluate_split(
    settings: Settings,
    named: Sequence[tuple[str, Path | None]],
    split: Literal["held_out", "gate", "train"],
    states: int,
    *,
    as_json: bool,
) -> None:
    from agent.cli.build import make_cards, make_policy
    from agent.curriculum import tasks_of
    from agent.deployment import compare
    from agent.registry import make_robot

    arm = make_robot(settings.robot)
    try:
        cards = make_cards(settings, arm)
        policy = make_policy(settings)
        tasks = tasks_of(cards, split, states)
        results = _scored(settings.robot, arm, policy, tasks, named)
    finally:
        arm.close()
    pair = compare(*results) if len(results) == 2 else None
    names = [name for name, _ in named]
    if as_json:
        shift = dict(settings.robot.shift)
        typer.echo(json.dumps({"shift": shift} | as_rows(names, cards, results, pair)))
    else:
        print_scores(names, cards, results, pair)


def _scored(
    told: RobotSettings,
    robot: Robot,
    policy: AdaptablePolicy,
    tasks: Sequence[Task],
    folders: Sequence[tuple[str, Path | None]],
) -> list[tuple[Trial, ...]]:
    """Try all tasks with each adapter; a signal to stop brings the arm to rest and ends it."""
    from agent.cli.stopping import stoppable
    from agent.errors import Interrupted
    from agent.evaluation import try_tasks
    from agent.patience import Patience
    from agent.protocols import Supervised

    results: list[tuple[Trial, ...]] = []
    with stoppable("eval", "stopping after this decision; nothing is kept") as stop_wanted:
        if isinstance(robot, Supervised):
            robot.heed(stop_wanted)
        for name, folder in folders:
            policy.load(folder, "base" if folder is None else name)
            patience = Patience(told.retries, told.retry_s, stop_wanted)
            results.append(
                try_tasks(robot, policy, tasks, stop_wanted=stop_wanted, patience=patience)
            )
            if stop_wanted():
                done = sum(map(len, results))
                raise Interrupted(f"stopped on request after {done} tries; the arm is at rest")
    return results


def _folder(name: str) -> Path | None:
    """Where the adapter lies that a person named so; None for the base."""
    from agent.errors import UsageError
    from agent.learn.ledger import BASE, Ledger

    if name == BASE:
        return None
    run, _, wanted = name.partition(":")
    path = Path(run)
    if (path / "updates").is_dir():
        ledger = Ledger(path)
        ledger.read()
        return ledger.folder(wanted or ledger.current)
    if (path / "adapter_config.json").is_file():
        return path
    raise UsageError(
        f"--adapter {name!r}: wanted base, a run folder (RUN or RUN:NAME) or an adapter folder"
    )


def as_rows(
    names: Sequence[str],
    cards: Sequence[TaskCard],
    results: Sequence[tuple[Trial, ...]],
    pair: Paired | None,
) -> dict[str, object]:
    """Give scores of each adapter, in all and a task, for programs."""
    from agent.deployment import score

    rows = []
    for name, trials in zip(names, results, strict=True):
        by_task = {
            card.name: asdict(score([t for t in trials if t.task == card.name])) for card in cards
        }
        rows.append({"adapter": name, "all": asdict(score(trials)), "tasks": by_task})
    return {
        "decoding": "greedy",
        "rows": rows,
        "paired": asdict(pair) if pair else None,
    }


def print_scores(
    names: Sequence[str],
    cards: Sequence[TaskCard],
    results: Sequence[tuple[Trial, ...]],
    pair: Paired | None,
) -> None:
    """Print scores of each adapter as a table, and two of them paired."""
    from rich.console import Console
    from rich.table import Table

    from agent.deployment import score

    table = Table(title="greedy success, 95 % Wilson interval")
    table.add_column("task")
    for name in names:
        table.add_column(name, justify="right")
    for title in [*(card.name for card in cards), "all"]:
        cells = []
        for trials in results:
            found = score([t for t in trials if title in {t.task, "all"}])
            cells.append(f"{found.k}/{found.n}  [{100 * found.low:.0f}, {100 * found.high:.0f}] %")
        table.add_row(title, *cells)
    console = Console()
    console.print(table)
    if pair:
        console.print(
            f"only the first succeeded on {pair.only_first} states, only the second on "
            f"{pair.only_second}; McNemar's exact p = {pair.p_value:.3g}",
            highlight=False,
        )
