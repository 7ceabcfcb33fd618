"""Adaptation without an oracle: the same deployments judged by the simulator, and by a model.

    python -m benchmarks.reward_adaptation --seeds 0 1 2 --out results/reward-adaptation.json

Arms: `oracle` learns from the simulator's verdict, `vlm` from the judge that looks at pictures,
`vlm+progress` from its progress too. What is reported is the simulator's word for all of them: on
held-out start states before and after, and of every episode that was learned from. The simulator
still ends an episode that succeeded; no judge is told. Rows in the results file are not repeated,
and a deployment that was interrupted goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

from agent import durable
from agent.interval import wilson
from agent.store.reader import ZarrReader
from benchmarks import setting

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-m", "agent.cli")
ARMS = {
    "oracle": ("--reward", "outcome"),
    "vlm": ("--reward", "vlm"),
    "vlm+progress": ("--reward", "vlm", "--set", "learn.progress_weight=0.2"),
}
WINDOW = 24  # episodes in the moving success rate
REACHED = (0.6, 0.7, 0.8)
KEPT = (
    "seed", "episodes", "minutes", "before", "after", "paired_p", "updates", "updates_kept",
    "adapter", "kept", "why",
)  # fmt: skip


def main() -> None:
    """Run what is missing, one after the other; every finished row is on disk at once."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    asked = _asked()
    protocol = {
        "task": asked.task, "shift": asked.shift, "episodes": asked.episodes,
        "minutes": asked.minutes, "held_out": asked.held_out, "sets": asked.set,
    }  # fmt: skip
    report = _opened(asked.out, protocol)
    done = {(row["arm"], row["seed"]) for row in report["rows"]}
    for seed, arm in product(asked.seeds, asked.arms):
        if (arm, seed) in done:
            continue
        row = _row(asked, protocol, arm, seed)
        report["rows"] = sorted([*report["rows"], row], key=lambda r: (r["arm"], r["seed"]))
        report["arms"] = summed(report["rows"])
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        durable.write_text(asked.out, json.dumps(report, indent=1) + "\n")
        log.info("%s, seed %d: %d to %d", arm, seed, row["before"]["k"], row["after"]["k"])


def summed(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Each arm over its seeds, and its share of the oracle's gain on the seeds that both ran."""
    arms = {}
    for arm in dict.fromkeys(row["arm"] for row in rows):
        mine = {row["seed"]: row for row in rows if row["arm"] == arm}
        oracle = {row["seed"]: row for row in rows if row["arm"] == "oracle"}
        both = sorted(mine.keys() & oracle.keys())
        best = sum(_gain(oracle[seed]) for seed in both)
        arms[arm] = {
            "seeds": sorted(mine),
            "before": _score(mine.values(), "before"),
            "after": _score(mine.values(), "after"),
            "gain": sum(_gain(row) for row in mine.values()),
            "of_oracle_gain": sum(_gain(mine[seed]) for seed in both) / best if best > 0 else None,
        }
    return arms


def reached(won: Sequence[bool], share: float) -> int | None:
    """Episodes until `WINDOW` in a row had this share of successes; None where they never had."""
    for end in range(WINDOW, len(won) + 1):
        if sum(won[end - WINDOW : end]) >= share * WINDOW:
            return end
    return None


def confusion(rows: Sequence[tuple[bool, str]]) -> dict[str, int]:
    """Verdicts against the simulator's word, of (truth, verdict) rows."""
    counts: dict[str, int] = {}
    for truth, verdict in rows:
        name = f"{'success' if truth else 'failure'} called {verdict}"
        counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items()))


def _row(
    asked: argparse.Namespace, protocol: dict[str, Any], arm: str, seed: int
) -> dict[str, Any]:
    home = asked.scratch / f"{arm}-{seed}"
    home.mkdir(parents=True, exist_ok=True)
    begun = next((file.parent for file in home.glob("*/run.json")), None)
    if begun is None:
        flags = ["--task", asked.task, "--shift", asked.shift, "--seed", str(seed)]
        flags += ["--episodes", str(asked.episodes), "--minutes", str(asked.minutes)]
        flags += ["--held-out", str(asked.held_out), "--out", str(home), *ARMS[arm]]
        flags += [word for each in protocol["sets"] for word in ("--set", each)]
    else:
        flags = ["--resume", str(begun)]
    if begun is None or not (begun / "outcome.json").exists():
        with (home / "log.txt").open("a") as talk:
            subprocess.run(  # noqa: S603  our own command, our own arguments
                [*COMMAND, "run", "--json", *flags], stdout=subprocess.DEVNULL, stderr=talk,
                env={**os.environ, "OMP_NUM_THREADS": "1"}, check=True,
            )  # fmt: skip
    run = begun or next(file.parent for file in home.glob("*/run.json"))
    outcome = json.loads((run / "outcome.json").read_text())
    summaries = ZarrReader(run).summaries()
    won = [row.ending == "success" for row in summaries]
    return {
        "arm": arm,
        **{key: outcome[key] for key in KEPT},
        "judge": sorted({row.source for row in summaries}),
        "verdicts": confusion([(w, row.verdict) for w, row in zip(won, summaries, strict=True)]),
        "episodes_to": {f"{share:g}": reached(won, share) for share in REACHED},
        "won": "".join("1" if each else "0" for each in won),
        "suspended": (run / "suspensions.jsonl").exists(),
        "commit": setting.commit(),
    }


def _gain(row: dict[str, Any]) -> int:
    gain: int = row["after"]["k"] - row["before"]["k"]
    return gain


def _score(rows: Any, phase: str) -> dict[str, Any]:  # noqa: ANN401  any iterable of rows
    scores = [row[phase] for row in rows]
    k, n = sum(each["k"] for each in scores), sum(each["n"] for each in scores)
    interval = wilson(k, n)
    return {"k": k, "n": n, "low": round(interval.low, 4), "high": round(interval.high, 4)}


def _opened(out: Path, protocol: dict[str, Any]) -> dict[str, Any]:
    """The results so far, under today's command. Ends the program for another protocol."""
    rows: list[dict[str, Any]] = []
    if out.exists():
        found = json.loads(out.read_text())
        if found["protocol"] != protocol:
            sys.exit(f"{out} has another protocol: {found['protocol']}; give another --out")
        rows = found["rows"]
    return {
        "command": setting.command("reward_adaptation"),
        "commit": setting.commit(),
        "machine": setting.machine("torch", "transformers", "peft", "mujoco"),
        "protocol": protocol,
        "window": WINDOW,
        "arms": summed(rows),
        "rows": rows,
    }


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Adaptation judged by a model.")
    parser.add_argument("--task", default="lift-red-cube")
    parser.add_argument("--shift", default="drift=0.18", metavar="NAME=NUMBER,...")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--episodes", type=int, default=96)
    parser.add_argument("--minutes", type=float, default=60.0, help="of a deployment, at most")
    parser.add_argument("--held-out", type=int, default=50)
    parser.add_argument("--set", action="append", default=[], metavar="TABLE.KEY=VALUE")
    parser.add_argument("--scratch", type=Path, default=Path("scratch/reward-adaptation"))
    parser.add_argument("--out", type=Path, default=Path("results/reward-adaptation.json"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
