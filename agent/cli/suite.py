"""`vlarl-agent eval --suite`: adapters on a published suite, on the papers' terms."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from agent.configuration import Resolved
    from agent.episode import Suite, Task, TaskCard
    from agent.evaluation import Trial
    from agent.lanes import Lane
    from agent.policy.policy import VLAPolicy
    from agent.protocols import AdaptablePolicy, Robot
    from agent.settings import RobotSettings, Settings
    from agent.suites import Tally, Terms

Named = tuple[str, Path | None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says of a suite.

    trials: a task. workers: processes. devices: of the policy's copies; empty for the settings'.
    out: where tries are kept.
    """

    suite: str
    trials: int
    workers: int
    devices: str
    out: Path | None


def evaluate_suite(
    resolved: Resolved, asked: Asked, adapters: Sequence[Named], *, as_json: bool
) -> None:
    """Try each task of a suite with each adapter, and print what came of it and on what terms."""
    from agent.cli.build import make_policy
    from agent.cli.evaluate import as_rows, print_scores
    from agent.deployment import compare
    from agent.errors import Interrupted
    from agent.suites import Tally, tries_of

    name, robot, suite = _offering(resolved, asked.suite)
    cards = _cards(robot, suite, resolved.settings.robot.task)
    tasks = tries_of(suite, cards, asked.trials)
    here = resolved.settings.robot.model_copy(update={"name": name})
    policy = make_policy(resolved.settings.model_copy(update={"robot": here}))
    told = _told(resolved, suite, policy, (name, robot.card.cameras))
    terms = _terms(told, suite, cards, policy, asked)
    tally = Tally(asked.out, asdict(terms))
    keys = [name if folder is None else str(folder) for name, folder in adapters]
    acting = _spread(resolved.settings, policy, asked) if asked.devices else policy
    stopped = _try_all(
        told.robot, acting, tasks, list(zip(keys, adapters, strict=True)), tally, asked
    )
    wanted = {(task.name, task.start) for task in tasks}
    results = [tuple(t for t in tally.of(key) if (t.task, t.start) in wanted) for key in keys]
    pair = compare(*results) if len(results) == 2 else None
    names = [name for name, _ in adapters]
    if as_json:
        rows = as_rows(names, cards, results, pair)
        typer.echo(json.dumps({"terms": asdict(terms), "workers": asked.workers} | rows))
    else:
        for line in terms.lines():
            typer.echo(line)
        print_scores(names, cards, results, pair)
    if stopped:
        kept = "the same command goes on" if asked.out else "nothing is kept without --out"
        raise Interrupted(f"stopped on request after {sum(map(len, results))} tries; {kept}")


def _offering(resolved: Resolved, name: str) -> tuple[str, Robot, Suite]:
    """Who offers a suite, and the suite. Raises UsageError where another robot was asked for."""
    from agent.configuration import DEFAULT
    from agent.errors import UsageError
    from agent.registry import make_robot, robot_of
    from agent.suites import suite_of

    told = resolved.settings.robot
    if resolved.origins["robot.name"] == DEFAULT:
        told = told.model_copy(update={"name": robot_of(name)})
    elif ":" not in told.name and told.name != (wanted := robot_of(name)):
        raise UsageError(f"suite {name!r} is offered by robot {wanted!r}, not by {told.name!r}")
    robot = make_robot(told)
    return told.name, robot, suite_of(robot, name)


def _cards(robot: Robot, suite: Suite, pattern: str) -> tuple[TaskCard, ...]:
    """The suite's tasks, or those of them that were asked for."""
    from agent.curriculum import choose_cards

    cards = [card for card in robot.tasks() if card.name in suite.tasks]
    return choose_cards(cards, pattern or "*")


def _told(
    resolved: Resolved, suite: Suite, policy: VLAPolicy, robot: tuple[str, tuple[str, ...]]
) -> Settings:
    """The settings with what is usual for a suite, wherever nobody said anything.

    robot: its name, and its cameras.
    """
    from agent.configuration import DEFAULT

    name, cameras = robot
    usually: dict[str, object] = {"name": name, "image_px": suite.image_px}
    if set(policy.config.cameras) <= set(cameras):
        # Nothing is recorded, so a picture that the policy does not look at is not drawn.
        usually["cameras"] = ",".join(policy.config.cameras)
    origins, settings = resolved.origins, resolved.settings
    update = {key: value for key, value in usually.items() if origins[f"robot.{key}"] == DEFAULT}
    return settings.model_copy(update={"robot": settings.robot.model_copy(update=update)})


def _terms(
    settings: Settings, suite: Suite, cards: Sequence[TaskCard], policy: VLAPolicy, asked: Asked
) -> Terms:
    from agent.suites import Terms

    config, told = policy.config, settings.robot
    return Terms(
        suite=suite.name,
        tasks=tuple(card.name for card in cards),
        starts=tuple(range(asked.trials)),
        horizon_steps=tuple(sorted({card.horizon_steps for card in cards})),
        settling_steps=suite.settling_steps,
        image_px=told.image_px,
        pictures=told.pictures,
        cameras=tuple(config.cameras),
        pipeline=config.images,
        policy_px=config.image_px,
        policy=policy.folder.name,
        shift=dict(told.shift),
    )


def _spread(settings: Settings, policy: VLAPolicy, asked: Asked) -> AdaptablePolicy:
    """Copies of the policy on the devices that were named."""
    from agent.cli.build import usage_of
    from agent.policy.replicas import devices_of, replicate

    devices = devices_of(asked.devices)
    return replicate(policy.folder, devices, settings.policy.threads, usage_of(settings.policy))


def _try_all(
    told: RobotSettings,
    policy: AdaptablePolicy,
    tasks: Sequence[Task],
    adapters: Sequence[tuple[str, Named]],
    tally: Tally,
    asked: Asked,
) -> bool:
    """Try what is left to try; whether a person stopped it."""
    from agent.cli.stopping import stoppable
    from agent.evaluation import try_tasks
    from agent.lanes import Lane
    from agent.patience import Patience
    from agent.registry import make_robot
    from agent.side_by_side import try_beside

    lanes: list[Lane] = []
    robot = make_robot(told)
    try:
        if asked.workers > 1:
            lanes = [Lane(told, len(robot.card.cameras), n) for n in range(asked.workers)]
            for lane in lanes:
                lane.start()
        said = "stopping after this decision" + ("; every try is kept" if asked.out else "")
        with stoppable("eval", said) as stop_wanted:
            for key, (name, folder) in adapters:
                policy.load(folder, "base" if folder is None else name)
                left, note = tally.left(key, tasks), _noting(tally, key, len(tasks))
                if lanes:
                    try_beside(lanes, policy, left, note, stop_wanted)
                else:
                    patience = Patience(told.retries, told.retry_s, stop_wanted)
                    try_tasks(robot, policy, left, note, stop_wanted, patience)
                if stop_wanted():
                    return True
        return False
    finally:
        for lane in lanes:
            lane.close()
        robot.close()


def _noting(tally: Tally, key: str, total: int) -> Callable[[Trial], None]:
    """Keep a try, and say on stderr how it went."""

    def note(trial: Trial) -> None:
        tally.note(key, trial)
        done = len(tally.of(key))
        how = "success" if trial.success else "failure"
        sys.stderr.write(f"{done}/{total} {trial.task} from {trial.start}: {how}\n")

    return note
