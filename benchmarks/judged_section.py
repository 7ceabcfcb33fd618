"""The section of docs/results.md on adaptation that a model judges, beside the oracle's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Found = Mapping[str, Any]


def adaptation(found: Found) -> str:
    """Each arm with its seeds together, and below it each deployment."""
    protocol, window = found["protocol"], found["window"]
    sets = ", ".join(f"`{each}`" for each in protocol["sets"]) or "none"
    intro = (
        f"{protocol['task']}, `{protocol['shift']}`, up to {protocol['episodes']} episodes of one "
        f"robot. Success is the simulator's word in every column but the verdicts: greedy, on "
        f"{protocol['held_out']} held-out start states before and after. `oracle` learns from that "
        "word, `vlm` from the judge of pictures, `vlm+progress` from its progress too. Settings "
        f"besides the defaults: {sets}. Intervals: Wilson, 95 %, of these states."
    )
    arms = [
        (
            name, len(arm["seeds"]), _score(arm["before"]), _score(arm["after"]), arm["gain"],
            "-" if arm["of_oracle_gain"] is None else f"{100 * arm['of_oracle_gain']:.0f} %",
        )
        for name, arm in found["arms"].items()
    ]  # fmt: skip
    heads = ("arm", "seeds", "before", "learned", "gain, states", "of the oracle's gain")
    shares = sorted({share for row in found["rows"] for share in row["episodes_to"]})
    note = (
        f"Episodes until {window} in a row had this share of true successes, while acting at "
        "temperature 1; - where they never had."
    )
    rows = [
        (
            row["arm"], row["seed"], _score(row["before"]), _score(row["after"]),
            *(row["episodes_to"].get(share) or "-" for share in shares),
            "; ".join(f"{count} {name}" for name, count in row["verdicts"].items()),
            "yes" if row["suspended"] else "no",
        )
        for row in found["rows"]
    ]  # fmt: skip
    each = (
        "arm", "seed", "before", "learned", *(f"to {100 * float(s):.0f} %" for s in shares),
        "verdicts", "suspended",
    )  # fmt: skip
    return "\n\n".join([intro, _table(heads, arms), note, _table(each, rows)])


def _score(found: Found) -> str:
    return f"{found['k']}/{found['n']} [{100 * found['low']:.0f}, {100 * found['high']:.0f}] %"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
