"""Which episodes of a run are exported: by id, by range, by what came of them."""

from __future__ import annotations

from dataclasses import dataclass

from agent.errors import UsageError
from agent.store.names import check_id
from agent.store.reader import ZarrReader
from agent.store.summary import Summary

VERDICTS = ("success", "failure", "unknown")


@dataclass(frozen=True, slots=True)
class Choice:
    """What was asked for. ids: "" or such as "1-8,000012"; only: verdicts, () for all."""

    ids: str = ""
    only: tuple[str, ...] = ()


def choose(reader: ZarrReader, choice: Choice) -> tuple[Summary, ...]:
    """The sealed episodes that were asked for, oldest first.

    Raises UsageError for an id that is not there, a word nobody knows, or where nothing is left.
    """
    unknown = sorted(set(choice.only) - set(VERDICTS))
    if unknown:
        raise UsageError(f"--only knows {', '.join(VERDICTS)}; found {', '.join(unknown)}")
    rows = reader.summaries()
    if choice.ids:
        wanted = _ids(choice.ids, {row.id for row in rows})
        rows = tuple(row for row in rows if row.id in wanted)
    chosen = tuple(row for row in rows if not choice.only or row.verdict in choice.only)
    if not chosen:
        raise UsageError(
            f"no episode is left to export: {len(rows)} sealed ones, "
            f"{'verdict ' + ' or '.join(choice.only) if choice.only else 'all verdicts'} wanted; "
            "`vlarl-agent episodes ls` lists them"
        )
    return chosen


def _ids(text: str, known: set[str]) -> set[str]:
    wanted: set[str] = set()
    for piece in text.split(","):
        first, dash, last = (word.strip() for word in piece.partition("-"))
        if dash:
            low, high = int(_id(first)), int(_id(last))
            if low > high:
                raise UsageError(f"--episodes {piece!r}: want the lower id first")
            wanted |= {found for found in known if low <= int(found) <= high}
        elif (one := _id(first)) in known:
            wanted.add(one)
        else:
            raise UsageError(
                f"no sealed episode {one} in this run; `vlarl-agent episodes ls` lists them"
            )
    return wanted


def _id(word: str) -> str:
    return check_id(word.zfill(6) if word.isascii() and word.isdigit() else word)
