"""The judge of pictures held against the simulator: held-out states, held-out shifts, policies.

    python -m benchmarks.reward_rollouts --rounds 12 --out runs/reward-eval
    python -m benchmarks.reward_eval runs/reward-eval/* --out results/reward-eval.json

Each run is judged by its picture alone. What a judge said of an episode is kept in `--kept`, named
by the judge, so an interrupted evaluation goes on, and another judge starts anew.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agent import durable
from agent.appraisal import Appraisal, Judged, Quality, appraise, judged
from agent.cli.judges import make_judge
from agent.configuration import resolve
from agent.episode import Episode, RewardSignal, Verdict
from agent.logbook.plain import plain
from agent.protocols import RewardModel
from agent.store.reader import ZarrReader
from agent.store.run import open_run
from benchmarks import setting


@dataclass
class Remembering:
    """A judge whose answers are kept, by run and episode, and its seconds with them."""

    judge: RewardModel
    file: Path
    run: str = ""

    def __post_init__(self) -> None:
        """Read what is kept."""
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        self._kept: dict[tuple[str, str], dict[str, Any]] = {}
        for values in map(json.loads, lines):
            self._kept[values["run"], values["id"]] = values

    def score(self, episode: Episode) -> RewardSignal:
        """Answer as before, or ask and keep the answer."""
        key = (self.run, episode.id)
        if key not in self._kept:
            start = time.perf_counter()
            said = plain(self.judge.score(episode))
            row = {"run": self.run, "id": episode.id, "said": said}
            self._kept[key] = {**row, "seconds": time.perf_counter() - start}
            durable.append_line(self.file, json.dumps(self._kept[key]))
        said = self._kept[key]["said"]
        return RewardSignal(
            np.array(said["progress"], np.float32),
            said["success_probability"],
            Verdict(said["verdict"]),
            said["source"],
            np.array(said["success"], np.float32),
            np.array(said["uncertainty"], np.float32),
        )

    @property
    def seconds(self) -> list[float]:
        """What each judgement took."""
        return [values["seconds"] for values in self._kept.values()]


def main() -> None:
    """Judge every run, and write what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--set", action="append", default=[], help="as of vlarl-agent, reward.*")
    parser.add_argument("--first", type=int, default=None, help="episodes of each run; all")
    parser.add_argument("--kept", type=Path, default=None, help="folder of kept answers")
    parser.add_argument("--out", type=Path, required=True)
    told = parser.parse_args()
    settings = resolve(None, {}, ["reward.kind=vlm", *told.set], []).settings
    judge = make_judge(settings)
    kept = told.kept or told.runs[0].parent / "judgements"
    durable.make_folder(kept)
    name = _named(judge, told.runs[0], told.set)
    asked = Remembering(judge, kept / f"{name}.jsonl")
    found: list[Judged] = []
    drivers: dict[tuple[str, str], str] = {}
    for run in told.runs:
        asked.run = run.name
        found += judged([run], asked, first=told.first)
        drivers |= {(run.name, each): _driver(run, each) for each in ZarrReader(run).ids()}
        sys.stderr.write(f"{run.name}: {len(found)} episodes judged\n")
    whole = appraise(found)
    values = {
        "command": setting.command("reward_eval"),
        "commit": setting.commit(),
        "machine": setting.machine("torch", "transformers", "scikit-learn"),
        "judge": list(whole.sources),
        "settings": told.set,
        "shifts": {run.name: open_run(run).settings["robot"]["shift"] for run in told.runs},
        "seconds_an_episode": {
            "median": round(float(np.median(asked.seconds)), 3),
            "most": round(max(asked.seconds), 3),
        },
        "all": figures(whole.whole),
        "tasks": [figures(each) for each in whole.tasks],
        "by_shift": _parts(found, {(e.run, e.id): e.run for e in found}),
        "by_driver": _parts(found, {(e.run, e.id): drivers[e.run, e.id] for e in found}),
        "mistakes": _mistakes(found, drivers),
    }
    told.out.write_text(json.dumps(values, indent=1) + "\n")
    sys.stdout.write(f"{told.out} written\n")


def figures(of: Quality) -> dict[str, Any]:
    """What a table tells of some episodes."""
    said = of.confusion
    area = None if of.roc is None else of.roc.area
    return {
        "name": of.name or "all",
        "episodes": of.episodes,
        "successes": said.true_success + said.false_failure,
        **{key: value for key, value in asdict(said).items() if key != "against"},
        "silent": of.silent,
        "accuracy": plain(of.accuracy),
        "false_positives": plain(of.false_positives),
        "false_negatives": plain(of.false_negatives),
        "area_under_roc": plain(area),
        "brier": of.brier,
        "order": plain(of.order),
        "phase": plain(of.phase),
        "phase_of_failures": plain(of.phase_of_failures),
        "bins": plain(of.bins),
    }


def _parts(found: Sequence[Judged], names: dict[tuple[str, str], str]) -> list[dict[str, Any]]:
    """The same figures apart for each name."""
    rows = []
    for name in dict.fromkeys(names.values()):
        part: Appraisal = appraise([e for e in found if names[e.run, e.id] == name])
        rows.append({**figures(part.whole), "name": name})
    return rows


def _mistakes(found: Sequence[Judged], drivers: dict[tuple[str, str], str]) -> list[dict[str, Any]]:
    """Every failure that was called success: where to look."""
    return [
        {
            "run": e.run, "id": e.id, "task": e.task, "driver": drivers[e.run, e.id],
            "probability": round(e.signal.success_probability, 4),
        }
        for e in found
        if e.signal is not None and e.signal.verdict is Verdict.SUCCESS and e.success is False
    ]  # fmt: skip


def _driver(run: Path, episode: str) -> str:
    return str(ZarrReader(run).record(episode).attributes["extra"].get("driver", ""))


def _named(judge: RewardModel, run: Path, sets: Sequence[str]) -> str:
    """A file name of the judge and of what it was told: its word on one episode has its name."""
    source = judge.score(ZarrReader(run).read(ZarrReader(run).ids()[0]).episode).source
    told = "-".join([source.split(";")[0], *sets])
    return "".join(each if each.isalnum() or each in "-=." else "-" for each in told)


if __name__ == "__main__":
    main()
