"""One row about one episode: what listings and screens show without reading any array."""

from __future__ import annotations

from collections.abc import Mapping
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
        return cls(**{key: value for key, value in values.items() if key in _KNOWN})


_KNOWN = frozenset(each.name for each in fields(Summary))
