"""`vlarl-agent run`: the main job."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.options import (
    Align,
    AsJson,
    Checkpoint,
    ConfigFile,
    Episodes,
    HeldOut,
    Metrics,
    Minutes,
    Out,
    Preset,
    ProfileName,
    Render,
    Reward,
    RobotName,
    Seed,
    Sets,
    Shift,
    TaskName,
    Update,
    resolve,
)
from agent.cli.stopping import stoppable

if TYPE_CHECKING:
    from agent.cadence import Cadence, Pace
    from agent.cli.screen import Screen
    from agent.configuration import Resolved
    from agent.deployment import Outcome
    from agent.scoring import Tried
    from agent.session import Event
    from agent.settings import Settings
    from agent.sinks.fan import Sinks
    from calibration.profile import Profile

PACES = 1000  # last episodes of which the loop's times are told at the end

Resume = Annotated[
    Path | None,
    typer.Option("--resume", metavar="RUN", help="Go on with this run, as it was told."),
]


def run(  # noqa: PLR0913  one parameter an option
    *,
    config: ConfigFile = None,
    sets: Sets = None,
    preset: Preset = None,
    robot: RobotName = None,
    task: TaskName = None,
    profile: ProfileName = None,
    shift: Shift = None,
    checkpoint: Checkpoint = None,
    reward: Reward = None,
    episodes: Episodes = None,
    minutes: Minutes = None,
    held_out: HeldOut = None,
    update: Update = None,
    align: Align = None,
    seed: Seed = None,
    render: Render = None,
    out: Out = None,
    metrics: Metrics = None,
    resume: Resume = None,
    as_json: AsJson = False,
) -> None:
    """Act, be judged, record, and improve between episodes; then score what was learned."""
    from agent.cli.watching import must_have_reference
    from agent.errors import Interrupted, UsageError
    from agent.learn.waiting import must_fit
    from agent.sinks.known import named

    flags = {
        "preset": preset, "robot": robot, "task": task, "profile": profile, "shift": shift,
        "checkpoint": checkpoint, "reward": reward,
        "episodes": episodes, "minutes": minutes, "held_out": held_out, "update": update,
        "align": align, "seed": seed, "render": render, "out": out, "metrics": metrics,
    }  # fmt: skip
    if resume is not None:
        given = [
            f"--{name.replace('_', '-')}" for name, value in flags.items() if value is not None
        ]
        if given or sets or config:
            raise UsageError(
                "--resume goes on as the run was told; leave out "
                f"{', '.join(given) or 'settings'}, or start a new run"
            )
        settings = _saved(resume)
        begin = partial(_go_on, resume)
    else:
        from agent.cli.build import usual

        resolved = usual(resolve(config, sets, **flags))
        settings = resolved.settings
        begin = partial(_begin, resolved)
    named(settings.run)
    must_have_reference(settings.sentinel)
    must_fit(settings)
    outcome, folder = _deploy(settings, begin, quiet=as_json)
    if outcome is None:
        raise Interrupted(f"stopped on request; go on with: vlarl-agent run --resume {folder}")
    _report(outcome, as_json=as_json)


def _begin(resolved: Resolved, cell: Profile | None) -> Path:
    from agent.cell import keep
    from agent.configuration import to_dict
    from agent.store.run import create_run, new_folder

    folder = new_folder(Path(resolved.settings.run.out), resolved.settings.robot.name)
    create_run(folder, to_dict(resolved.settings), dict(resolved.origins))
    keep(folder, cell)
    return folder


def _go_on(folder: Path, cell: Profile | None) -> Path:
    from agent.cell import hold_to

    hold_to(folder, cell)
    return folder


def _saved(folder: Path) -> Settings:
    from agent.configuration import from_dict
    from agent.store.run import open_run

    return from_dict(open_run(folder).settings)


def _deploy(
    settings: Settings, begin: Callable[[Profile | None], Path], *, quiet: bool
) -> tuple[Outcome | None, Path]:
    """Check what was asked for, and only then begin a run folder and work in it."""
    from rich.console import Console

    from agent.cadence import cadence
    from agent.cell import cell_of
    from agent.cli.build import make_aligner, make_cards, make_parts, make_policy
    from agent.cli.judges import must_be_judged
    from agent.cli.screen import Screen, Seen
    from agent.deployment import deploy
    from agent.registry import make_robot
    from agent.sinks.fan import opened

    cell = cell_of(settings.robot)
    robot = make_robot(settings.robot)
    paces: deque[Pace] = deque(maxlen=PACES)
    stops: list[Callable[[], bool]] = []
    try:
        must_be_judged(settings, robot)
        cards = make_cards(settings, robot)
        aligner = make_aligner(settings, policy := make_policy(settings))
        folder = begin(cell)
        parts = make_parts(
            settings, folder, robot, policy, cell, lambda: any(stop() for stop in stops)
        )
        try:
            with (
                stoppable(str(folder)) as stop_wanted,
                opened(folder, settings) as given,
                Screen(Console(stderr=quiet), Seen(settings, str(folder))) as screen,
            ):
                stops.append(stop_wanted)
                return deploy(
                    settings, folder, replace(parts, aligner=aligner), cards,
                    partial(_take, screen, given, paces),
                    stop_wanted,
                ), folder  # fmt: skip
        finally:
            parts.store.close()
    finally:
        robot.close()
        _tell_cadence(cadence(paces, robot.card.control_hz))


def _take(screen: Screen, sinks: Sinks, paces: deque[Pace], event: Event | Tried) -> None:
    from agent.cadence import pace_of
    from agent.session import Acted

    screen.take(event)
    sinks.take(event)
    if isinstance(event, Acted):
        paces.append(pace_of(event.scored.episode))


def _tell_cadence(found: Cadence) -> None:
    from agent.cadence import said

    # A simulator that waits for the policy has no command path to speak of.
    if "sent to applied" in found.spans:
        typer.echo(said(found), err=True)


def _report(outcome: Outcome, *, as_json: bool) -> None:
    import json
    from dataclasses import asdict

    from rich.console import Console

    from agent import durable
    from agent.cli.screen import summary

    text = json.dumps(asdict(outcome), indent=2)
    durable.write_text(Path(outcome.run) / "outcome.json", text + "\n")
    if as_json:
        typer.echo(text)
    else:
        Console().print(summary(outcome))
