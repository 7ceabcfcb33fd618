"""The options that commands share, and the settings they add up to.

A command declares those it takes, by these types, and hands them to `resolve`:

    def run(config: ConfigFile = None, sets: Sets = None, task: TaskName = None) -> None:
        resolved = resolve(config, sets, task=task)

Every one defaults to None, which leaves the value to the layers below.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from agent.configuration import Resolved

ConfigFile = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Settings file, TOML.")
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="TABLE.KEY=VALUE", help="One setting; may be given often."),
]
RobotName = Annotated[
    str | None, typer.Option("--robot", help="tabletop, libero, franka or module:Class.")
]
TaskName = Annotated[
    str | None,
    typer.Option("--task", help="Task name or pattern, such as 'pick_*'; a real arm: in words."),
]
ProfileName = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME|FILE", help="Cell of a real arm, such as franka."),
]
Shift = Annotated[
    str | None,
    typer.Option("--shift", metavar="NAME=NUMBER,...", help="Shifts of the robot's world."),
]
Seed = Annotated[int | None, typer.Option("--seed", help="Fixes every random choice.")]
Episodes = Annotated[int | None, typer.Option("--episodes", help="Episodes to act, at most.")]
Minutes = Annotated[float | None, typer.Option("--minutes", help="Minutes in all, at most.")]
HeldOut = Annotated[
    int | None, typer.Option("--held-out", help="Held-out states scored before and after, a task.")
]
Update = Annotated[
    bool | None, typer.Option("--update/--no-update", help="Learn between episodes, or only act.")
]
Preset = Annotated[str | None, typer.Option("--preset", help="Learning defaults: robot, faithful.")]
Reward = Annotated[
    str | None, typer.Option("--reward", metavar="KIND", help="outcome, vlm, http or operator.")
]
Checkpoint = Annotated[
    Path | None,
    typer.Option("--policy", "--checkpoint", metavar="FOLDER", help="Policy; the one shipped."),
]
Render = Annotated[
    str | None,
    typer.Option("--render", help="faithful or fast (LIBERO); or what draws: egl, osmesa, glfw."),
]
Out = Annotated[Path | None, typer.Option("--out", metavar="FOLDER", help="Folder for runs.")]
Align = Annotated[
    int | None,
    typer.Option(
        "--align", min=0, metavar="N",
        help="Correct the pictures by the first N episodes' start views; 0: never.",
    ),
]  # fmt: skip
Metrics = Annotated[
    str | None,
    typer.Option("--metrics", help="More sinks: tensorboard,trackio,wandb,prometheus."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of one run.")]

KEYS = {
    "robot": "robot.name",
    "task": "robot.task",
    "profile": "robot.profile",
    "shift": "robot.shift",
    "render": "robot.render",
    "checkpoint": "policy.checkpoint",
    "reward": "reward.kind",
    "preset": "learn.preset",
    "seed": "run.seed",
    "episodes": "run.episodes",
    "minutes": "run.minutes",
    "held_out": "run.held_out",
    "update": "run.update",
    "align": "align.episodes",
    "out": "run.out",
    "metrics": "run.metrics",
}

PICTURES = ("faithful", "fast")

Flag = str | int | float | bool | Path | None


def resolve(config: Path | None, sets: list[str] | None, **flags: Flag) -> Resolved:
    """Complete the settings from file, environment, `--set` and the flags that were given.

    flags: by the names in `KEYS`; None was not given. Raises UsageError as `configuration.resolve`.
    """
    from agent import configuration

    given = [
        configuration.Assignment(
            _key(name, value),
            str(value) if isinstance(value, Path) else value,
            f"flag --{name.replace('_', '-')}",
        )
        for name, value in flags.items()
        if value is not None
    ]
    return configuration.resolve(config, os.environ, sets or (), given)


def _key(flag: str, value: Flag) -> str:
    """The setting a flag means: how pictures look is one thing, and what draws them another."""
    return "robot.pictures" if flag == "render" and value in PICTURES else KEYS[flag]
