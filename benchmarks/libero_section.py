"""The section of docs/results.md on LIBERO's speed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
Table = Callable[[Sequence[str], Sequence[Sequence[object]]], str]

NAMES = {
    "official": "hf-libero's own",
    "single": "hf-libero's own, one sample a pixel",
    "wrapper": "a wrapper's loop",
    "faithful": "ours, faithful",
    "fast": "ours, fast",
}
PICTURES = {0: "none", 1: "one camera", 2: "two cameras"}


def speed(found: Mapping[str, Any], table: Table) -> str:
    """Steps a second of each beside LIBERO's own environment, and how many times quicker."""
    intro = (
        f"Median of {found['rounds']} rounds in which all take turns. Times: processor time of "
        "hf-libero's own environment (of the wrapper's loop where two processes run) over that of "
        f"the row, for a control step, and for an episode of {found['episode']} steps with its "
        "reset; one sample: beside hf-libero's own with one sample a pixel, as fast pictures have. "
        "The wrapper's loop gives upright copies of both pictures, the arm's state and the "
        "verdict each step, as LeRobot's does. Faithful pictures are pixel by pixel LIBERO's own; "
        "fast ones have one sample a pixel, fewer triangles and no mirrors. Neither of LIBERO's "
        "own can leave a picture undrawn."
    )
    head = (
        "task", "who", "processes", "px", "pictures", "a picture every", "steps/s",
        "processor ms", "times", "times, one sample", "reset ms", "episode steps/s",
        "episode times",
    )  # fmt: skip
    rows = [
        (
            row["task"], NAMES[row["who"]], row["processes"], row["px"] if row["cameras"] else "-",
            PICTURES[row["cameras"]], f"{row['chunk']} steps" if row["chunk"] > 1 else "step",
            f"{row['per_s']:.0f}", f"{row['cpu_ms']:.1f}", _times(row["times"]),
            _times(_to_single(row, found["rows"])),
            f"{row['reset_ms']:.0f}", f"{row['episode_per_s']:.0f}", _times(row["episode_times"]),
        )
        for row in sorted(found["rows"], key=_order)
    ]  # fmt: skip
    apart = "; ".join(
        f"{where}: " + ", ".join(f"{camera} {value:g}" for camera, value in cameras.items())
        for where, cameras in found["differences"].items()
    )
    told = f"Mean difference of fast from faithful pictures, levels of 255: {apart}."
    return f"{intro}\n\n{table(head, rows)}\n\n{told}"


def _to_single(row: Row, rows: Sequence[Row]) -> float | None:
    """A fast row beside hf-libero's own with as few samples a pixel."""
    for other in rows:
        alike = all(other[key] == row[key] for key in ("processes", "task", "px", "cameras"))
        if row["who"] == "fast" and other["who"] == "single" and alike:
            return float(other["cpu_ms"] / row["cpu_ms"])
    return None


def _order(row: Row) -> tuple[object, ...]:
    who = list(NAMES).index(row["who"])
    return row["task"], row["processes"], row["px"], row["cameras"], who, row["chunk"]


def _times(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
