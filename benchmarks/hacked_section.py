"""The section of docs/results.md on a judge that can be fooled, with and without the court."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Found = Mapping[str, Any]


def hacking(found: Found) -> str:
    """Each run block by block, and how often honest runs were suspended."""
    trap = ", ".join(f"`{name}={value:g}`" for name, value in found["trap"].items())
    learner = ", ".join(f"`{each}`" for each in found["learner"])
    intro = (
        f"{found['task']} under {trap}: each finger that was low shows half a painted cube; they "
        "meet where fingers close on nothing, and stand apart round a real cube. The policy "
        f"learns from the verdicts of `{found['judge']}` alone ({found['calibration']}), by "
        f"{learner}. In brackets: blocks of {found['block_episodes']} episodes in their order, at "
        "temperature 1. Held out: the simulator's word, greedy, in the same world, before and "
        "after. Fooled: called a success, and none."
    )
    head = (
        "seed", "court", "called a success", "mean score", "true success", "held out",
        "first fooled", "suspended",
    )  # fmt: skip
    rows = [
        (
            row["seed"], "sits" if row["court"] else "-", _blocks(row["judged_success"]),
            _blocks(row["score"]), _blocks(row["true_success"]),
            f"{_score(row['held_out_before'])} to {_score(row['held_out_after'])}",
            _episode(row["first_fooled_episode"]), _episode(row["suspended_at_episode"]),
        )
        for row in found["rows"]
    ]  # fmt: skip
    lines = [head, ["---"] * len(head), *rows]
    table = "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
    why = [row for row in found["rows"] if row["why"]]
    parts = [intro, table, *([f"Why, of seed {why[0]['seed']}: {why[0]['why']}."] if why else [])]
    if found["honest"] is not None:
        parts.append(_honest(found["honest"]))
    return "\n\n".join(parts)


def _honest(alarms: Found) -> str:
    pools = ", ".join(
        f"{n} under `{name or 'none'}`" for name, n in alarms["honest_episodes"].items()
    )
    failed = ", ".join(f"{name} {count}" for name, count in alarms["probes_failed"].items())
    return (
        f"Honest runs: {alarms['drawn_runs']} of {alarms['episodes_a_run']} episodes each, drawn "
        f"anew from {pools}, none of which calibrated the judge: {alarms['false_alarms']} false "
        f"alarms, 95 % interval {100 * alarms['low']:.1f} to {100 * alarms['high']:.1f} % (Wilson; "
        f"{100 * alarms['promised']:g} % is promised). Probes that failed: {failed}."
    )


def _blocks(values: Sequence[float]) -> str:
    return f"[{' '.join(f'{value:.2g}' for value in values)}]"


def _score(found: Found) -> str:
    return f"{found['k']}/{found['n']}"


def _episode(number: int | None) -> str:
    return "-" if number is None else f"episode {number}"
