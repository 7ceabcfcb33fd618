"""How often `vlarl-agent diagnose` names the fault that was put in.

    python -m benchmarks.diagnose --runs 20 --folder FOLDER --out results/diagnose.json

Records runs of eight episodes with one known fault each, with the shipped VLA at the simulated
table, and diagnoses every one from its folder alone. What FOLDER holds already is not recorded
again, so an interrupted measurement goes on; several may fill one folder, each --part of --of.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agent.cli.shipped import SHIPPED
from agent.diagnosis.looking import look
from agent.diagnosis.told import values
from agent.interval import wilson
from benchmarks import setting
from benchmarks.faulty_runs import FAULTS, Case, cases, record

EPISODES = 8
SEED = 3  # runs of seeds 1 and 2 set the thresholds


def row(case: Case, folder: Path, against: Path) -> dict[str, Any]:
    """One run: what was put in, what was found."""
    began = time.process_time()
    told = values(look(folder, against, SHIPPED))
    seconds = time.process_time() - began
    facts = {
        f"{rung['rung']}.{key}": round(value, 4)
        for rung in told["rungs"]
        for key, value in rung["facts"].items()
        if isinstance(value, float)
    }
    return {
        "run": case.name, "truth": case.fault.truth, "shift": case.fault.shift,
        "statistics": case.fault.statistics, "weights_noise": case.fault.noise, "task": case.task,
        "verdict": told["verdict"],
        "off": [rung["rung"] for rung in told["rungs"] if rung["status"] == "off"],
        "cpu_s": round(seconds, 2), "facts": facts,
    }  # fmt: skip


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The confusion matrix by truth and verdict, and how many were right."""
    matrix = {kind: Counter[str]() for kind in FAULTS}
    for each in rows:
        matrix[each["truth"]][each["verdict"]] += 1
    right = sum(matrix[kind][kind] for kind in FAULTS)
    bounds = wilson(right, len(rows))
    return {
        "right": {"k": right, "n": len(rows), "low": bounds.low, "high": bounds.high},
        "confusion": {kind: dict(matrix[kind]) for kind in FAULTS},
        "classes": [
            {
                "truth": kind, "runs": sum(matrix[kind].values()), "right": matrix[kind][kind],
                "taken for": ", ".join(
                    f"{other} {count}" for other, count in matrix[kind].items() if other != kind
                ) or "-",
            }
            for kind in FAULTS
        ],
    }  # fmt: skip


def results(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """All that is written."""
    return {
        "command": setting.command("diagnose"), "commit": setting.commit(),
        "machine": setting.machine("numpy", "opencv-python-headless", "mujoco"),
        "episodes_a_run": EPISODES,
        "faults": [asdict(each) for kind in FAULTS.values() for each in kind],
        **summary(rows), "rows": rows,
    }  # fmt: skip


def main() -> None:
    """Record, diagnose and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="a class")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--folder", type=Path, required=True, help="of the recorded runs")
    parser.add_argument("--against", type=Path, default=SHIPPED / "reference.npz")
    parser.add_argument("--part", type=int, default=0, help="record only every --of-th run")
    parser.add_argument("--of", type=int, default=1)
    parser.add_argument("--only-recorded", action="store_true", help="record nothing more")
    parser.add_argument("--out", type=Path, help="results to write; none while recording parts")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    chosen = list(cases(asked.runs, asked.seed))[asked.part :: asked.of]
    if asked.only_recorded:
        chosen = [case for case in chosen if (asked.folder / case.name).is_dir()]
    rows = []
    for case in chosen:
        folder = record(case, asked.folder, EPISODES)
        if asked.out is not None:
            rows.append(row(case, folder, asked.against))
    if asked.out is None:
        return
    asked.out.write_text(json.dumps(results(rows), indent=1) + "\n")


if __name__ == "__main__":
    main()
