"""Thresholds of labelling on the command line: `--set TABLE.KEY=VALUE` for frozen dataclasses."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agent.errors import UsageError

if TYPE_CHECKING:
    from agent.labelling import Thresholds
    from agent.reward.segments import Layout


def thresholds(sets: Sequence[str]) -> Thresholds:
    """Read segments.KEY, labels.KEY and layout.KEY. Raises UsageError for any other."""
    from agent.labelling import Thresholds
    from agent.reward.labels import LabelSettings
    from agent.reward.segments import Layout, SegmentSettings

    tables = {"segments": SegmentSettings, "labels": LabelSettings, "layout": Layout}
    given: dict[str, dict[str, Any]] = {name: {} for name in tables}
    known = {f"{t}.{f.name}": f for t, kind in tables.items() for f in dataclasses.fields(kind)}
    for told in sets:
        key, equals, text = told.partition("=")
        if not equals or key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)[0]
            raise UsageError(f"--set {told}: TABLE.KEY=VALUE wanted; the nearest key is {near}")
        table, name = key.split(".")
        given[table][name] = _value(key, str(known[key].type), text)
    layout = _layout(given["layout"]) if given["layout"] else None
    return Thresholds(
        SegmentSettings(**given["segments"]), LabelSettings(**given["labels"]), layout
    )


def _layout(given: Mapping[str, Any]) -> Layout:
    from agent.reward.segments import Layout

    missing = {each.name for each in dataclasses.fields(Layout)} - set(given)
    if missing:
        raise UsageError(
            f"a layout wants all of its keys, {', '.join(sorted(missing))} not found; for example "
            "layout.position=0,1,2 layout.opening=6 layout.widest=1.0 layout.control_hz=20"
        )
    return Layout(**given)


def _value(key: str, kind: str, text: str) -> object:
    """A number, columns as 0,1,2, or pairs of instructions as DONE|ASKED;DONE|ASKED."""
    try:
        if kind == "float":
            return float(text)
        if kind == "int":
            return int(text)
        if kind == "tuple[int, ...]":
            return tuple(int(part) for part in text.split(","))
        pairs = tuple(tuple(part.strip() for part in pair.split("|")) for pair in text.split(";"))
        if any(len(pair) != 2 for pair in pairs):
            raise ValueError
    except ValueError:
        wanted = {
            "float": "a number",
            "int": "a whole number",
            "tuple[int, ...]": "columns as 0,1,2",
        }
        raise UsageError(
            f"{key}: {wanted.get(kind, 'DONE|ASKED;...')} wanted, found {text!r}"
        ) from None
    return pairs
