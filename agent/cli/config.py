"""`vlarl-agent config`: what a run would be told, and by whom."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.options import (
    AsJson,
    ConfigFile,
    Preset,
    ProfileName,
    RobotName,
    Sets,
    Shift,
    TaskName,
    resolve,
)

if TYPE_CHECKING:
    from agent.configuration import Resolved

app = typer.Typer(help="Settings: show what a run would be told.", no_args_is_help=True)

Origins = Annotated[bool, typer.Option("--origins", help="Say where each value comes from.")]


@app.callback()
def _config() -> None:
    """Keep `show` a command of its own; more will stand beside it."""


@app.command()
def show(  # noqa: PLR0913  one parameter an option
    *,
    config: ConfigFile = None,
    sets: Sets = None,
    preset: Preset = None,
    robot: RobotName = None,
    task: TaskName = None,
    profile: ProfileName = None,
    shift: Shift = None,
    origins: Origins = False,
    as_json: AsJson = False,
) -> None:
    """Print the complete settings as a file that `--config` reads back."""
    resolved = resolve(
        config, sets, preset=preset, robot=robot, task=task, profile=profile, shift=shift
    )
    typer.echo(_json(resolved) if as_json else _toml(resolved, origins=origins))


def _json(resolved: Resolved) -> str:
    from agent.configuration import to_dict

    told = {"settings": to_dict(resolved.settings), "origins": dict(resolved.origins)}
    return json.dumps(told, indent=2, ensure_ascii=False)


def _toml(resolved: Resolved, *, origins: bool) -> str:
    from agent.configuration import to_dict, wanted

    lines: list[str] = []
    for table, keys in to_dict(resolved.settings).items():
        lines += ["", f"[{table}]"]
        for name, value in keys.items():
            key = f"{table}.{name}"
            said = resolved.origins[key].replace("\n", " ") if origins else wanted(key)
            lines.append(f"{name + ' = ' + _value(value):<36}  # {said}")
    return "\n".join(lines[1:])


def _value(value: object) -> str:
    """Write one value as TOML: its strings, numbers and booleans are JSON's."""
    if isinstance(value, dict):
        inside = ", ".join(f"{_value(name)} = {_value(each)}" for name, each in value.items())
        return "{ " + inside + " }" if inside else "{}"
    return json.dumps(value, ensure_ascii=True)
