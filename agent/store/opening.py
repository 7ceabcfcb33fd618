"""What is known of an episode before its first step."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from agent.episode import Task
from agent.errors import UsageError


@dataclass(frozen=True, slots=True)
class Opening:
    """The first record of an episode's log. began: UTC, ISO 8601."""

    id: str
    task: Task
    adapter: str
    temperature: float
    began: str
    extra: Mapping[str, str | int | float] = field(default_factory=dict)

    @classmethod
    def now(
        cls,
        episode_id: str,
        task: Task,
        adapter: str,
        temperature: float,
        extra: Mapping[str, object],
    ) -> Opening:
        """An episode that begins now. Raises UsageError for an extra that cannot be kept."""
        kept = {key: _plain(key, value) for key, value in extra.items()}
        _plain("temperature", temperature)
        began = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        return cls(episode_id, task, adapter, float(temperature), began, kept)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Opening:
        """Read what `to_json` gave. Raises KeyError and TypeError."""
        return cls(**{**values, "task": Task(**values["task"])})


def _plain(name: str, value: object) -> str | int | float:
    if isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise UsageError(f"{name}: want text or a finite number, found {value!r}")
