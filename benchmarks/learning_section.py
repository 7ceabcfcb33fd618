"""The section of docs/results.md on variants of learning, held against each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.interval import wilson

Found = Mapping[str, Any]
Table = Callable[[Sequence[str], Sequence[Sequence[object]]], str]


def ablation(found: Found, table: Table, score: Callable[[Found], str]) -> str:
    """One line a shift and variant, its seeds added up; then every deployment."""
    protocol = found["protocol"]
    sets = ", ".join(f"`{each}`" for each in protocol["sets"]) or "none"
    tasks = ", ".join(dict.fromkeys(row["task"] for row in found["rows"]))
    intro = (
        f"{protocol.get('robot', 'tabletop')}, {tasks}: up to {protocol['episodes']} "
        f"episodes or {protocol['minutes']:g} minutes a deployment, then greedy success on "
        f"{protocol['held_out']} held-out start states. Settings of all: {sets}; of each variant: "
        "`benchmarks/variants.py`. Seeds are added up and share their held-out states. Intervals: "
        "Wilson, 95 %. Acting at the end: the start adapter where none was kept."
    )
    names = list(dict.fromkeys((_shift(row), row.get("variant", "")) for row in found["rows"]))
    lines = []
    for name in names:
        same = [row for row in found["rows"] if (_shift(row), row.get("variant", "")) == name]
        before, learned = (_sum([row[key] for row in same]) for key in ("before", "after"))
        acting = _sum([row["after"] if row["kept"] else row["before"] for row in same])
        gain = 100 * (learned["k"] / learned["n"] - before["k"] / before["n"])
        lines.append(
            (
                name[0], name[1] or "-", len(same), score(before), score(learned), f"{gain:+.0f}",
                score(acting), f"{sum(row['kept'] for row in same)} of {len(same)}",
                " of ".join(
                    str(sum(row[key] for row in same)) for key in ("updates_kept", "updates")
                ),
                f"{sum(row['minutes'] for row in same) / len(same):.1f}",
            )
        )  # fmt: skip
    head = (
        "shift", "variant", "seeds", "before", "learned", "points", "acting at the end", "kept",
        "updates kept", "min a run",
    )  # fmt: skip
    each = [
        (
            _shift(row), row.get("variant", "") or "-", row["seed"], row["episodes"],
            score(row["before"]), score(row["after"]), f"{row['paired_p']:.2g}",
        )
        for row in found["rows"]
    ]  # fmt: skip
    below = table(("shift", "variant", "seed", "episodes", "before", "learned", "p"), each)
    return "\n\n".join([intro, table(head, lines), below])


def _shift(row: Found) -> str:
    return ",".join(f"{name}={strength:g}" for name, strength in row["shift"].items()) or "-"


def _sum(scores: Sequence[Found]) -> dict[str, float]:
    won, tried = sum(each["k"] for each in scores), sum(each["n"] for each in scores)
    bounds = wilson(won, tried)
    return {"k": won, "n": tried, "low": bounds.low, "high": bounds.high}
