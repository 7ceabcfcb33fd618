"""What is wrong with a profile, said in one line: file, key, wanted, found."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import get_args

from pydantic import BaseModel, ValidationError

Place = Sequence[int | str]


class ProfileError(ValueError):
    """A profile cannot be used."""


class CalibrationError(ValueError):
    """Pictures, poses or readings from which nothing can be calibrated."""


def said(model: type[BaseModel], error: ValidationError, origin: str) -> str:
    """Say the first thing that is wrong; an unknown key comes before what lacks for it."""
    problems = error.errors()
    first = next((each for each in problems if each["type"] == "extra_forbidden"), problems[0])
    place, kind = first["loc"], first["type"]
    key = ".".join(str(part) for part in place)
    if kind == "extra_forbidden":
        known = _keys(model, place[:-1])
        near = difflib.get_close_matches(str(place[-1]), known, n=1, cutoff=0.0)
        return f"profile {origin}: {key}: no such key; the nearest known is {near[0]}"
    if kind == "missing":
        return f"profile {origin}: {key}: wanted a value, found nothing; add the key"
    if kind == "value_error":
        return f"profile {origin}: {first['ctx']['error']}"
    wanted = first["msg"].removeprefix("Input should be ").removeprefix("a valid ")
    return f"profile {origin}: {key}: wanted {wanted}, found {first['input']!r}"


def _keys(model: type[BaseModel], place: Place) -> list[str]:
    """Keys of the table that lies at `place`."""
    for part in place:
        if isinstance(part, int):
            continue
        field = next(f for name, f in model.model_fields.items() if part in {name, f.alias})
        model = next(each for each in _leaves(field.annotation) if issubclass(each, BaseModel))
    return [info.alias or name for name, info in model.model_fields.items()]


def _leaves(annotation: object) -> list[type]:
    """Classes inside an annotation such as tuple[Camera, ...] or ActionStatistics | None."""
    inside = [leaf for part in get_args(annotation) for leaf in _leaves(part)]
    return inside or ([annotation] if isinstance(annotation, type) else [])
