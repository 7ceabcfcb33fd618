"""One row of figures: about an episode, an update or an evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Kind = Literal["episode", "update", "evaluation"]
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """number: which of its kind, from 1. name: with the kind it is a row's one key.

    labels: words about it. metrics: figures, by the names of docs/metrics.md.
    limits: decisions that a guard held to each limit. spans_s: single times that `metrics` only
    sums up; they are not written to files.
    """

    kind: Kind
    number: int
    name: str
    labels: Mapping[str, str]
    metrics: Mapping[str, float]
    limits: Mapping[str, int] = field(default_factory=dict)
    spans_s: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """What no two rows of a run share."""
        return self.kind, self.name


@dataclass(frozen=True, slots=True)
class About:
    """The run that the rows are of. settings: as saved in run.json."""

    name: str
    folder: str
    settings: Mapping[str, Any]


class Sink(Protocol):
    """Takes rows to one tool. Whatever it raises ends it alone, never the run."""

    def open(self, about: About) -> None:
        """Begin, or go on with what an interrupted run began."""
        ...

    def take(self, row: Row) -> None:
        """One more row."""
        ...

    def close(self) -> None:
        """Let everything arrive. May be called twice."""
        ...
