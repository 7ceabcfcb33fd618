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
    from agent.protocols import Robot
    from agent.session import AdaptablePolicy
    from agent.settings import RobotSettings

Adapter = Annotated[
    list[str] | None,
    typer.Option(
        "--adapter",
        metavar="base|RUN[:NAME]|FOLDER",
        help="Adapter to score; give two to compare them. A run alone means its current one.",
    ),
]
Split = Annotated[
    Literal["held_out", "gate", "train"], typer.Option(help="Which start states to score on.")
]
States = Annotated[int, typer.Option("--states", min=1, help="Start states a task, at most.")]


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
    split: Split = "held_out",
    states: States = 50,
    as_json: AsJson = False,
) -> None:
    """Attempt every chosen start state once, greedily, without recording or learning."""
    from agent.cli.build import make_cards, make_policy
    from agent.curriculum import tasks_of
    from agent.deployment import compare
    from agent.errors import UsageError
    from agent.registry import make_robot

    names = adapter or ["base"]
    if len(names) > 2:
        raise UsageError(f"one or two --adapter wanted, found {len(names)}")
    settings = resolve(
        config, sets, robot=robot, task=task, profile=profile, shift=shift, checkpoint=checkpoint
    ).settings
    folders = [_folder(name) for name in names]
    arm = make_robot(settings.robot)
    try:
        cards = make_cards(settings, arm)
        policy = make_policy(settings)
        tasks = tasks_of(cards, split, states)
        named = list(zip(names, folders, strict=True))
        results = _scored(settings.robot, arm, policy, tasks, named)
    finally:
        arm.close()
    pair = compare(*results) if len(results) == 2 else None
    if as_json:
        typer.echo(json.dumps(_as_json(names, cards, results, pair, dict(settings.robot.shift))))
    else:
        _print(names, cards, results, pair)


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


def _as_json(
    names: Sequence[str],
    cards: Sequence[TaskCard],
    results: Sequence[tuple[Trial, ...]],
    pair: Paired | None,
    shift: dict[str, float],
) -> dict[str, object]:
    from agent.deployment import score

    rows = []
    for name, trials in zip(names, results, strict=True):
        by_task = {
            card.name: asdict(score([t for t in trials if t.task == card.name])) for card in cards
        }
        rows.append({"adapter": name, "all": asdict(score(trials)), "tasks": by_task})
    return {
        "shift": shift,
        "decoding": "greedy",
        "rows": rows,
        "paired": asdict(pair) if pair else None,
    }


def _print(
    names: Sequence[str],
    cards: Sequence[TaskCard],
    results: Sequence[tuple[Trial, ...]],
    pair: Paired | None,
) -> None:
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
