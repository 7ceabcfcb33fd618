"""What `vlarl-agent episodes ls | show | verify` print: tables for people, JSON for programs."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.errors import UsageError
from agent.store.reader import ZarrReader
from agent.store.summary import Summary

_WIDTH = 140


def ls(run: Path, json: bool) -> str:  # noqa: FBT001  named for the flag it serves
    """All episodes of a run, sealed and interrupted, oldest first.

    Raises UsageError where there is no run folder.
    """
    reader = _reader(run)
    rows = sorted((*reader.summaries(), *reader.interrupted()), key=lambda row: int(row.id))
    return _json([row.to_json() for row in rows]) if json else _table(rows)


def show(run: Path, id: str, json: bool) -> str:  # noqa: A002, FBT001  named for the flags
    """One episode: its attributes and arrays. Raises UsageError or DataError as the reader does."""
    record = _reader(run).record(id)
    layout = None if record.layout is None else record.layout.to_json()
    size = sum(found.size for found in record.files.values())
    facts = {
        "status": record.status,
        **record.attributes,
        "decisions": record.summary.decisions,
        "control_steps": record.summary.control_steps,
        "layout": layout,
        "files": len(record.files),
        "stored_bytes": size,
    }
    return _json(facts) if json else _facts(facts)


def verify(run: Path, json: bool) -> tuple[str, bool]:  # noqa: FBT001  named for the flag
    """All damage to a run's sealed episodes, and whether there is none."""
    reader = _reader(run)
    findings, count = reader.verify(), len(reader.ids())
    if json:
        values = {"episodes": count, "findings": [found.to_json() for found in findings]}
        return _json(values), not findings
    lines = [str(found) for found in findings]
    damaged = len({found.episode for found in findings})
    lines.append(f"{count} episodes checked, {damaged} damaged" if findings else f"{count} sound")
    return "\n".join(lines), not findings


def _reader(run: Path) -> ZarrReader:
    if not run.is_dir():
        raise UsageError(f"{run} is no run folder; check the path")
    return ZarrReader(run)


def _table(rows: Iterable[Summary]) -> str:
    table = Table(box=None, pad_edge=False)
    for name in ("id", "task", "start", "adapter", "use", "ending", "verdict"):
        table.add_column(name, no_wrap=name == "id")
    for name in ("decisions", "steps", "seconds"):
        table.add_column(name, justify="right")
    for row in rows:
        cells = (row.id, row.task, str(row.start), row.adapter, row.use, row.ending, row.verdict)
        counts = (str(row.decisions), str(row.control_steps), f"{row.seconds:.1f}")
        table.add_row(*(Text(cell) for cell in (*cells, *counts)))
    return _print(table)


def _facts(facts: Mapping[str, Any]) -> str:
    table = Table(box=None, show_header=False, pad_edge=False)
    for key, value in facts.items():
        plain = value if isinstance(value, str) else _json(value, indent=None)
        table.add_row(Text(key), Text(plain))
    return _print(table)


def _print(table: Table) -> str:
    out = io.StringIO()
    Console(file=out, width=_WIDTH, color_system=None).print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def _json(values: object, indent: int | None = 1) -> str:
    return json.dumps(values, indent=indent)
