"""Settings from all the places they come from, with the origin of every value."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from agent.errors import DataError, UsageError
from agent.settings import Settings

Scalar = str | int | float | bool
Value = Scalar | dict[str, float]

PREFIX = "VLARL_"
DEFAULT = "default"

# The paper's hyper-parameters (VLA-RL, arXiv 2505.18719). It has no KL stop, so that limit is put
# out of reach; five critic iterations of ten episodes each are its warm-up. Its plain sum weighs
# the judge's score like success itself, here half at most. The gate is ours and stays.
PRESETS: Mapping[str, Mapping[str, Scalar]] = {
    "robot": {},
    "faithful": {
        "run.curriculum": "paper",
        "policy.temperature": 1.5,
        "learn.every_episodes": 10,
        "learn.rank": 32,
        "learn.alpha": 16.0,
        "learn.targets": "all-linear",
        "learn.learning_rate": 2e-5,
        "learn.epochs": 1,
        "learn.clip_low": 0.2,
        "learn.clip_high": 0.2,
        "learn.gamma": 0.99,
        "learn.gae_lambda": 0.95,
        "learn.ratio": "action",
        "learn.shaping": "sum",
        "learn.kl_weight": 0.0,
        "learn.clone_weight": 0.0,
        "learn.kl_stop": 1e6,
        "learn.grad_clip": 1.0,
        "learn.progress_weight": 0.5,
        "learn.warmup_episodes": 50,
        "learn.experience": False,
    },
}


@dataclass(frozen=True, slots=True)
class Resolved:
    """Complete settings, and by dotted key where each value came from."""

    settings: Settings
    origins: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Assignment:
    """One value for one dotted key, and who says so."""

    key: str
    value: object
    origin: str


def fields() -> dict[str, FieldInfo]:
    """Every setting by its dotted key, in the order of agent/settings.py."""
    found: dict[str, FieldInfo] = {}
    for table, info in Settings.model_fields.items():
        model = info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            found |= {f"{table}.{name}": field for name, field in model.model_fields.items()}
    return found


def resolve(
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    sets: Sequence[str] = (),
    flags: Sequence[Assignment] = (),
) -> Resolved:
    """Lay defaults, preset, file, environment, `--set` and flags over each other, in that order.

    sets: texts `table.key=value`, the value written as in TOML; a bare word will do for a string.
    Raises UsageError, on one line, for the first key or value that cannot be used.
    """
    layers = [
        _from_file(file) if file is not None else [],
        _from_environment(environment or {}),
        [_from_text(text) for text in sets],
        list(flags),
    ]
    told = [_text_read(each) for layer in layers for each in layer]
    preset = next((each.value for each in reversed(told) if each.key == "learn.preset"), "robot")
    chosen = PRESETS.get(preset, {}) if isinstance(preset, str) else {}
    told = [Assignment(key, value, f"preset {preset}") for key, value in chosen.items()] + told
    origins = dict.fromkeys(fields(), DEFAULT)
    settings = Settings()
    for each in told:  # one by one, so that a wrong value is refused even where a later one wins
        settings = _laid_over(settings, each)
        origins[each.key] = each.origin
    must_be_cut(settings.learn.targets, settings.learn.top_layers)
    return Resolved(settings, origins)


def must_be_cut(targets: str, top: int, depth: int | None = None) -> None:
    """Refuse adapters on the top blocks where there is no such cut. Raises UsageError.

    depth: blocks of the language model, where it is known.
    """
    if top and targets != "language":
        raise UsageError(
            f"learn.top_layers={top} wants learn.targets=language, found {targets}: nothing below "
            "the cut may learn; set one of the two back"
        )
    if depth is not None and not 0 <= top < depth:
        raise UsageError(
            f"learn.top_layers={top} wants a language model of more blocks, this one has {depth}: "
            f"1 to {depth - 1} adapt its top blocks alone, 0 adapts all"
        )


def parse_shift(text: str) -> dict[str, float]:
    """Read `rotate=0.6,gain=1.4`. Raises UsageError for anything else."""
    shifts: dict[str, float] = {}
    for part in filter(None, text.split(",")):
        name, equals, number = (piece.strip() for piece in part.partition("="))
        try:
            if not (equals and name) or name in shifts:
                raise ValueError
            shifts[name] = float(number)
        except ValueError:
            raise UsageError(
                f"robot.shift: wanted NAME=NUMBER,NAME=NUMBER with no name twice, found {text!r}; "
                "write for example rotate=0.6,gain=1.4"
            ) from None
    return shifts


def to_dict(settings: Settings) -> dict[str, dict[str, Value]]:
    """Plain tables of plain values, fit for JSON."""
    return settings.model_dump(mode="json")


def from_dict(data: object) -> Settings:
    """Read back what `to_dict` gave. Raises DataError where a key is missing, unknown or wrong."""
    if not isinstance(data, dict):
        raise DataError(f"saved settings: wanted tables, found {type(data).__name__}")
    try:
        present = {f"{table}.{key}" for table, keys in data.items() for key in keys}
        if missing := sorted(set(fields()) - present):
            raise DataError(
                f"saved settings lack {', '.join(missing)}; use the version that saved them"
            )
        return Settings.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise DataError(f"saved settings: {key}: {first['msg']}; restore the file") from error
    except TypeError as error:
        raise DataError(f"saved settings: a table is not a table: {error}") from error


def wanted(key: str) -> str:
    """Say what a setting accepts: its type and range, and in brackets its meaning and unit."""
    info = fields()[key]
    limits = [
        f"{sign} {getattr(rule, name)}"
        for sign, name in ((">=", "ge"), (">", "gt"), ("<=", "le"), ("<", "lt"))
        for rule in info.metadata
        if hasattr(rule, name)
    ]
    kind = " ".join([_kind(info.annotation), " and ".join(limits)]).strip()
    return f"{kind} ({info.description})"


def _kind(annotation: object) -> str:
    if get_origin(annotation) is Literal:
        return "one of " + ", ".join(repr(choice) for choice in get_args(annotation))
    names: dict[object, str] = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "a string",
    }
    return names.get(annotation, "a table of finite numbers")


def _laid_over(settings: Settings, told: Assignment) -> Settings:
    _known(told.key, told.origin)
    table, name = told.key.split(".", 1)
    data = settings.model_dump()
    data[table][name] = told.value
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise UsageError(
            f"{told.key}: wanted {wanted(told.key)}, found {told.value!r} in {told.origin}"
        ) from error


def _known(key: str, origin: str) -> None:
    known = fields()
    if key in known:
        return
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)[0]
    raise UsageError(f"{key}: no such setting, found in {origin}; the nearest known is {near}")


def _text_read(told: Assignment) -> Assignment:
    """Shifts may be written as one text wherever they come from."""
    if told.key == "robot.shift" and isinstance(told.value, str):
        return Assignment(told.key, parse_shift(told.value), told.origin)
    return told


def _from_file(file: Path) -> list[Assignment]:
    origin = f"file {file}"
    try:
        with file.open("rb") as stream:
            tables = tomllib.load(stream)
    except OSError as error:
        raise UsageError(f"settings file {file} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"settings file {file} is not TOML: {error}") from error
    return [
        Assignment(f"{table}.{key}", value, origin)
        for table, keys in tables.items()
        for key, value in _table(table, keys, origin).items()
    ]


def _table(name: str, keys: object, origin: str) -> dict[str, Any]:
    tables = Settings.model_fields
    if name not in tables:
        near = difflib.get_close_matches(name, tables, n=1, cutoff=0.0)[0]
        raise UsageError(f"{name}: no such table, found in {origin}; the nearest known is {near}")
    if not isinstance(keys, dict):
        raise UsageError(f"{name}: wanted a table [{name}], found {keys!r} in {origin}")
    return keys


def _from_environment(environment: Mapping[str, str]) -> list[Assignment]:
    """Read VLARL_TABLE__KEY; one that lacks only the second underscore is refused, not ignored."""
    told = []
    for variable in sorted(environment):
        name = variable.removeprefix(PREFIX).lower()
        origin = f"environment {variable}"
        if not variable.startswith(PREFIX):
            continue
        if "__" in name:
            key = name.replace("__", ".", 1)
            told.append(Assignment(key, _parsed(key, environment[variable], origin), origin))
        elif name.replace("_", ".", 1) in fields():
            right = PREFIX + name.replace("_", "__", 1).upper()
            raise UsageError(f"{origin}: wanted two underscores after the table; call it {right}")
    return told


def _from_text(text: str) -> Assignment:
    key, equals, value = text.partition("=")
    origin = f"--set {text}"
    if not equals:
        raise UsageError(f"--set: wanted TABLE.KEY=VALUE, found {text!r}")
    return Assignment(key.strip(), _parsed(key.strip(), value, origin), origin)


def _parsed(key: str, text: str, origin: str) -> object:
    """Read one value written as in TOML; a setting that is a string takes a bare word too."""
    _known(key, origin)
    text = text.strip()
    annotation = fields()[key].annotation
    takes_words = annotation is str or isinstance(next(iter(get_args(annotation)), None), str)
    if key == "robot.shift":
        takes_words = not text.startswith("{")
    if takes_words and text[:1] not in {'"', "'"}:
        return text
    try:
        if "\n" in text:
            raise ValueError
        return tomllib.loads(f"value = {text}")["value"]
    except ValueError:  # tomllib's own error is one
        raise UsageError(f"{key}: wanted {wanted(key)}, found {text!r} in {origin}") from None
