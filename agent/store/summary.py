"""One row about one episode: what listings and screens show without reading any array."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Summary:
    """One episode in brief.

    use: what it was for ("learn", "warmup", "evaluation", "demonstration"; "" where unsaid).
    ending: its reason, "interrupted" where there is none. verdict: "" without a judgement.
    seconds: from the first view to the last. began: UTC, ISO 8601.
    why: what broke an interrupted episode off.
    source: the judge. executed: control steps carried out as asked; None in rows of an older
    program. limits: decisions that a guard held to each limit, by its name. by_hand: decisions
    during which a person had the arm. stored_bytes: of its files as they were committed.
    """

    id: str
    task: str
    instruction: str
    start: int
    seed: int
    adapter: str
    temperature: float
    use: str
    decisions: int
    control_steps: int
    ending: str
    verdict: str
    success_probability: float | None
    seconds: float
    began: str
    why: str = ""
    source: str = ""
    executed: int | None = None
    limits: Mapping[str, int] = field(default_factory=dict)
    by_hand: int = 0
    stored_bytes: int = 0

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Summary:
        """Read what `to_json` gave; keys it does not know are left out. Raises TypeError."""
        known = {key: value for key, value in values.items() if key in _KINDS}
        for key, value in known.items():
            if not _KINDS[key](value):
                raise TypeError(f"{key}: found {str(value)[:40]!r}")
        return cls(**known)


def _is_number(value: object) -> bool:
    # JSON knows infinity and numbers of any length, and no figure of an episode is either.
    return isinstance(value, int | float) and not abs(value) >= _BEYOND


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and _is_number(value)


def _is_counts(value: object) -> bool:
    return isinstance(value, Mapping) and all(map(_is_whole, value.values()))


_BEYOND = 1e300
_OF_TYPE: Mapping[object, Callable[[object], bool]] = {
    "str": lambda value: isinstance(value, str),
    "int": _is_whole,
    "float": _is_number,
    "int | None": lambda value: value is None or _is_whole(value),
    "float | None": lambda value: value is None or _is_number(value),
    "Mapping[str, int]": _is_counts,
}
_KINDS = {each.name: _OF_TYPE[each.type] for each in fields(Summary)}
