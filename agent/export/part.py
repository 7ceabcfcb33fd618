"""What an export format does: files for one episode, and files that close the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from agent.episode import ScoredEpisode
from agent.store.hashes import FileHash
from agent.store.summary import Summary


@dataclass(frozen=True, slots=True)
class Part:
    """One episode in a format.

    files: path within the export to content. facts: plain JSON that later parts and the closing
    files are made from.
    """

    files: Mapping[str, bytes]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """An episode whose files are all on disk."""

    episode: str
    files: Mapping[str, FileHash]
    facts: Mapping[str, Any]

    @classmethod
    def of(cls, episode_id: str, part: Part) -> Receipt:
        """The receipt for a part once it is written."""
        hashes = {path: FileHash.of(data) for path, data in part.files.items()}
        return cls(episode_id, hashes, part.facts)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Receipt:
        """Read what `to_json` gave. Raises KeyError and TypeError."""
        files = {path: FileHash(**found) for path, found in values["files"].items()}
        return cls(str(values["episode"]), files, dict(values["facts"]))

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


class Format(Protocol):
    """One way to write episodes."""

    @property
    def name(self) -> str:
        """What the command line calls it."""
        ...

    @property
    def options(self) -> Mapping[str, Any]:
        """Everything that shapes the files: an export is only resumed with the same."""
        ...

    def part(self, scored: ScoredEpisode, row: Summary, before: Sequence[Receipt]) -> Part:
        """The files of one episode, given the receipts of those that go before it."""
        ...

    def closing(self, receipts: Sequence[Receipt]) -> Mapping[str, bytes]:
        """Files about all episodes, in the order to write them; the last makes the whole."""
        ...
