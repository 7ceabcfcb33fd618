"""Tables of docs/results.md about the store: what recording costs, and what dying leaves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Found = Mapping[str, Any]


def recording(found: Found) -> str:
    """A row a format and size; below, the reader beside the writer."""
    head = (
        "cameras", "format", "deadlines missed", "step p50 ms", "step p99 ms", "most ms",
        "processor share", "finish s", "bytes to raw",
    )  # fmt: skip
    rows = [
        (
            row["cameras"], row["format"], f"{row['deadlines_missed']} of {row['steps']}",
            row["step_p50_ms"], row["step_p99_ms"], row["step_most_ms"], row["processor_share"],
            row["finish_s"], row["bytes_to_raw"],
        )
        for row in found.get("rows", ())
    ]  # fmt: skip
    note = (
        "Processor share: of one core, for a second of recording; a format above 1 cannot keep up "
        "on one core. MP4 is lossy, and is no file before the episode is finished."
    )
    parts = [f"{_sentence(found['protocol'])}.", _table(head, rows), note] if rows else []
    if "reader" in found:
        parts += [*_reader(found["reader"])]
    return "\n\n".join(parts)


def crash(found: Found) -> str:
    """A row a way to die."""
    if "rows" not in found:
        from benchmarks.sections import anything

        return anything(found)
    head = (
        "what",
        "at every n-th",
        "struck",
        "steps of the running episode lost, at most",
        "failures",
        "commit",
    )
    rows = [
        (
            name, _stride(name, row), row["struck"], row.get("steps_lost_at_most", "-"),
            len(row["failures"]) or "none", row["commit"][:12],
        )
        for name, row in found["rows"].items()
    ]  # fmt: skip
    note = (
        "A failure is a sealed episode lost or altered, a step lost beyond those told, an id given "
        "twice, a run that does not open again, or a chore that does not end as it would have "
        "undisturbed. Twelve steps are 0.6 s at 20 Hz."
    )
    return f"{note}\n\n{_table(head, rows)}"


def _stride(name: str, row: Found) -> object:
    """Where it struck; nothing to say of moments drawn at random."""
    return row["every"] if "file operation" in name or "each on" in name else "-"


def _reader(found: Found) -> list[str]:
    head = ("20 Hz writer", "steps", "deadlines missed", "step p99 ms", "most ms", "seal, most s")
    rows = [
        (
            name, row["steps"], row["deadlines_missed"], row["step_p99_ms"], row["step_most_ms"],
            row["seal_most_s"],
        )
        for name, row in (
            ("alone", found["writer_alone"]),
            ("beside a reader", found["writer_beside_reader"]),
        )
    ]  # fmt: skip
    read = found["reader"]
    told = (
        f"A reader at 10 Hz beside the writer for {found['seconds'] / 60:g} minutes "
        f"(`{found['command']}`): {read['pictures']} pictures, {read['wrong']} of them wrong; a "
        f"look took {read['look_p50_ms']} ms, p99 {read['look_p99_ms']} ms. "
        f"{_sentence(found['protocol'])}."
    )
    return [told, _table(head, rows)]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
