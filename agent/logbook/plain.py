"""A view as plain JSON values: arrays become lists, and what is no number becomes null."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np


def plain(value: object) -> Any:  # noqa: ANN401  JSON is anything
    """Turn a view, or any part of one, into what `json.dumps(allow_nan=False)` takes."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, np.ndarray):
        return _listed(value)
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int | bool) or value is None else str(value)


def _listed(array: np.ndarray[Any, Any]) -> Any:  # noqa: ANN401  nested as deep as the array
    if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
        spaced = array.astype(object)
        spaced[~np.isfinite(array)] = None
        return spaced.tolist()
    return array.tolist()
