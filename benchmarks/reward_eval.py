"""The judge of pictures held against the simulator: held-out states, held-out shifts, policies.

    python -m benchmarks.reward_rollouts --rounds 12 --out runs/reward-eval
    python -m benchmarks.reward_eval runs/reward-eval --out results/reward-eval.json

What a model said of a view is kept beside the runs in a file named by the model: an interrupted
evaluation goes on, another calibration needs no reading, another model starts anew.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from agent import durable
from agent.appraisal import Appraisal, Judged, Quality, appraise, judged
from agent.cli.judges import calibration_of, make_reader
from agent.configuration import resolve
from agent.episode import Verdict
from agent.logbook.plain import plain
from agent.reward.judge import FrameJudge
from agent.reward.reader import Frames, Opinion, Reader
from agent.store.reader import ZarrReader
from agent.store.run import RUN, open_run
from benchmarks import setting


class Remembering:
    """A reader whose answers about single views are kept in a file; it asks what is not there.

    They stand before calibration and bar, so that other ones need no reading at all.
    """

    def __init__(self, reader: Reader, file: Path) -> None:
        self._reader, self._file = reader, file
        self._kept: dict[str, list[float]] = {}
        self.seconds = 0.0
        self.views = 0
        if file.exists():
            for line in file.read_text().splitlines():
                values = json.loads(line)
                self._kept |= dict(zip(values["views"], values["said"], strict=True))
                self.seconds, self.views = values["seconds"], values["asked"]

    @property
    def id(self) -> str:
        """The reader's."""
        return self._reader.id

    def read(self, frames: Frames) -> Opinion:
        """Answer as before, or ask and keep the answers."""
        names = _names(frames)
        missing = [number for number, name in enumerate(names) if name not in self._kept]
        if missing:
            asked = sorted({0, *missing})
            images = {camera: shown[asked] for camera, shown in frames.images.items()}
            start = time.perf_counter()
            said = self._reader.read(Frames(images, frames.instruction))
            self.seconds += time.perf_counter() - start
            self.views += len(asked)
            table = np.stack([said.success, said.progress, said.uncertainty], axis=1).tolist()
            fresh = {names[number]: row for number, row in zip(asked, table, strict=True)}
            self._kept |= fresh
            line = {"views": list(fresh), "said": list(fresh.values())}
            line |= {"seconds": self.seconds, "asked": self.views}
            durable.append_line(self._file, json.dumps(line))
        rows = np.array([self._kept[name] for name in names], np.float32)
        return Opinion(rows[:, 0], rows[:, 1], rows[:, 2])


def _names(frames: Frames) -> list[str]:
    """What each view shows, beside the first one, and is asked, as a hash."""
    cameras = sorted(frames.images)
    shown = [
        hashlib.sha256(b"".join(frames.images[each][view].tobytes() for each in cameras)).digest()
        for view in range(len(frames))
    ]
    asked = frames.instruction.encode() + shown[0]
    return [hashlib.sha256(asked + each).hexdigest()[:32] for each in shown]


def main() -> None:
    """Judge every run, and write what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rollouts", type=Path, help="folder of runs")
    parser.add_argument("--set", action="append", default=[], help="as of vlarl-agent, reward.*")
    parser.add_argument("--first", type=int, default=None, help="episodes of each run; all")
    parser.add_argument("--out", type=Path, required=True)
    told = parser.parse_args()
    settings = resolve(None, {}, ["reward.kind=vlm", *told.set], []).settings.reward
    reader = make_reader(settings)
    name = "".join(each if each.isalnum() else "-" for each in reader.id)
    asked = Remembering(reader, told.rollouts / f"{name}.jsonl")
    calibration = calibration_of(settings, reader)
    judge = FrameJudge(asked, settings, calibration)
    runs = sorted(each.parent for each in told.rollouts.glob(f"*/{RUN}"))
    found: list[Judged] = []
    drivers: dict[tuple[str, str], str] = {}
    for run in runs:
        found += judged([run], judge, first=told.first)
        drivers |= {(run.name, each): _driver(run, each) for each in ZarrReader(run).ids()}
        sys.stderr.write(f"{run.name}: {len(found)} episodes judged\n")
    whole = appraise(found)
    values = {
        "command": setting.command("reward_eval"),
        "commit": setting.commit(),
        "machine": setting.machine("torch", "transformers", "scikit-learn"),
        "judge": list(whole.sources),
        "settings": told.set,
        "shifts": {run.name: open_run(run).settings["robot"]["shift"] for run in runs},
        "bar": {"theta": judge.bar.theta, "k": judge.bar.k, "n": judge.bar.n},
        "calibration": "" if calibration is None else calibration.said(),
        "seconds_a_view": asked.seconds / max(asked.views, 1),
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
        "successes": of.false_negatives.tried,
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


if __name__ == "__main__":
    main()
