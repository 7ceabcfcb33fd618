"""The section of docs/results.md on how far the judge of pictures can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Found = Mapping[str, Any]


def trust(found: Found) -> str:
    """The judge in all, by task, by shift and by who drove; and what it took for a success."""
    whole = found["all"]
    bar = found["bar"]
    shifts = "; ".join(
        f"{name}: {', '.join(f'`{key}={value:g}`' for key, value in shift.items()) or 'none'}"
        for name, shift in found["shifts"].items()
    )
    intro = (
        f"Judge: {', '.join(f'`{each}`' for each in found['judge'])}, which saw the pictures and "
        f"the instruction alone. {whole['episodes']} episodes of the table-top from held-out start "
        f"states, {whole['successes']} of them successes by the simulator. Shifts: {shifts}. "
        f"Success: {bar['theta']:.3g} or more in {bar['k']} of the last {bar['n']} views that were "
        f"read ({found['calibration'] or 'not calibrated'}). Reading a view took "
        f"{1000 * found['seconds_a_view']:.0f} ms. Intervals: 95 %, "
        "Wilson for counts, bootstrap for areas and correlations. Unknown verdicts count as "
        "neither right nor wrong. Order and phase: Spearman's of progress against the order of the "
        "views and against the true phase, the mean of successes."
    )
    parts = [intro]
    for key, title in (
        ("tasks", "task"), ("by_shift", "shift"), ("by_driver", "driver"),
    ):  # fmt: skip
        rows = [*found[key], *([whole] if key == "tasks" else [])]
        parts.append(_table(title, rows))
    wrong = found["mistakes"]
    if wrong:
        listed = ", ".join(f"{e['run']}/{e['id']} ({e['task']}, {e['driver']})" for e in wrong)
        parts.append(f"Failures that it called success: {listed}.")
    return "\n\n".join(parts)


def _table(title: str, rows: Sequence[Found]) -> str:
    head = (
        title, "successes", "accuracy", "unknown", "false positives", "false negatives",
        "area under ROC", "Brier", "order", "phase",
    )  # fmt: skip
    lines = [head, ["---"] * len(head), *(_row(each) for each in rows)]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _row(row: Found) -> tuple[str, ...]:
    return (
        row["name"],
        f"{row['successes']} of {row['episodes']}",
        _rate(row["accuracy"]),
        str(row["unknown"]),
        _rate(row["false_positives"]),
        _rate(row["false_negatives"]),
        _estimate(row["area_under_roc"], 3),
        "-" if row["brier"] is None else f"{row['brier']:.3f}",
        _estimate(row["order"], 2),
        _estimate(row["phase"], 2),
    )


def _rate(rate: Found) -> str:
    if not rate["tried"]:
        return "-"
    bounds = f"[{100 * rate['low']:.1f}, {100 * rate['high']:.1f}] %"
    return f"{rate['won']}/{rate['tried']} {bounds}"


def _estimate(found: Found | None, digits: int) -> str:
    if found is None:
        return "-"
    value, low, high = (f"{found[key]:.{digits}f}" for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"
