"""The table of results/diagnose.json: which fault was put in, and which was named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Found = Mapping[str, Any]


def confusion(found: Found) -> str:
    """Truths down, verdicts across, the diagonal bold; then what was taken for something else."""
    kinds = list(found["confusion"])
    right = found["right"]
    bounds = f"[{100 * right['low']:.1f}, {100 * right['high']:.1f}] %"
    intro = (
        f"{right['n']} runs of {found['episodes_a_run']} episodes, each with one fault of the "
        "first column in it, and what `vlarl-agent diagnose` named from the run folder alone. "
        f"Right: {right['k']}/{right['n']} {bounds} (95 % Wilson interval). Thresholds were set "
        "on other runs, of another seed."
    )
    lines = [["put in \\ named", *kinds], ["---"] * (len(kinds) + 1)]
    for truth in kinds:
        row = found["confusion"][truth]
        cells = [str(row.get(kind, 0) or "") for kind in kinds]
        place = kinds.index(truth)
        cells[place] = f"**{row.get(truth, 0)}**"
        lines.append([truth, *cells])
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    wrong = [
        f"- {row['run']}: {row['verdict']}"
        for row in found["rows"]
        if row["verdict"] != row["truth"]
    ]
    strengths = "; ".join(f"{kind}: {_strengths(found, kind)}" for kind in kinds if kind != "none")
    parts = [intro, table, f"Strengths, in turns: {strengths}."]
    return "\n\n".join([*parts, *(["Not right:\n\n" + "\n".join(wrong)] if wrong else [])])


def _strengths(found: Found, kind: str) -> str:
    told = []
    for each in found["faults"]:
        if each["truth"] != kind:
            continue
        if each["statistics"]:
            told.append("q01, q99 = {:g}, {:g}".format(*each["statistics"]))
        elif each["noise"]:
            told.append(f"weights + {each['noise']:g} sigma")
        else:
            told += [f"{name}={value:g}" for name, value in each["shift"].items()]
    return ", ".join(told)
