"""What judging costs: seconds an episode, and what reading while acting does to a control step.

    python -m benchmarks.judge_speed --out results/judge-speed.json

The table-top's usual task with the shipped policy and judge. Each way of judging acts the same
episodes from the same seeds; a step is the time from one view to the next command, policy included.
`look` is what handing a view over takes, which is all that the control loop does for the judge.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agent import durable
from agent.cli.build import make_cards, make_policy
from agent.cli.judges import calibration_of, make_reader
from agent.curriculum import tasks_of
from agent.episode import Episode, Observation
from agent.protocols import Eye
from agent.registry import make_robot
from agent.reward.judge import FrameJudge
from agent.reward.online import OnlineReading
from agent.rollout import run_episode
from agent.settings import RewardSettings, Settings
from agent.store.run import create_run
from agent.store.zarr_store import ZarrStore
from benchmarks import setting


class Timed:
    """An eye that notes when it is shown a view, and how long the other eye keeps it."""

    def __init__(self, eye: Eye | None) -> None:
        self._eye = eye
        self.looks_s: list[float] = []
        self.steps_s: list[float] = []
        self._last_s = 0.0

    def look(self, number: int, view: Observation) -> None:
        """Pass the view on, timed."""
        now_s = time.perf_counter()
        if number:
            self.steps_s.append(now_s - self._last_s)
        if self._eye is not None:
            self._eye.look(number, view)
        self._last_s = time.perf_counter()
        self.looks_s.append(self._last_s - now_s)


def main() -> None:
    """Act and judge in each way, and write what it took."""
    parser = argparse.ArgumentParser(description="What judging costs.")
    parser.add_argument("--episodes", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("results/judge-speed.json"))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    ways: dict[str, dict[str, Any]] = {}
    for name, online in (("nobody reads", None), ("afterwards", False), ("while acting", True)):
        ways[name] = _way(asked.episodes, online)
    told = {
        "command": setting.command("judge_speed"),
        "commit": setting.commit(),
        "machine": setting.machine("torch", "transformers", "mujoco"),
        "episodes": asked.episodes,
        "ways": ways,
    }
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    durable.write_text(asked.out, json.dumps(told, indent=1) + "\n")


def _way(episodes: int, online: bool | None) -> dict[str, Any]:  # noqa: FBT001  three ways
    settings = Settings(reward=RewardSettings(kind="vlm", online=bool(online)))
    robot, policy = make_robot(settings.robot), make_policy(settings)
    tasks = tasks_of(make_cards(settings, robot), "train", episodes)
    reader = make_reader(settings.reward)
    reading = OnlineReading(reader, settings.reward) if online else None
    judge = FrameJudge(reader, settings.reward, calibration_of(settings.reward, reader), reading)
    timed = Timed(reading)
    judged_s: list[float] = []
    views = 0
    with tempfile.TemporaryDirectory() as folder:
        create_run(Path(folder) / "run", settings.model_dump(mode="json"), {})
        store = ZarrStore(Path(folder) / "run")
        store.open()
        try:
            for number, task in enumerate(tasks):
                policy.seed(number)
                recording = store.begin(task, "base", 1.0)
                episode = run_episode(robot, policy, recording, task, 1.0, eye=timed)
                views += len(episode.steps) + 1
                if online is not None:
                    judged_s.append(_judged(judge, episode))
                recording.abandon("a measurement")
        finally:
            store.close()
            robot.close()
            if reading is not None:
                reading.close()
    return {
        "views": views,
        "judge_s_an_episode": _spread(judged_s),
        "step_ms": _spread([1000 * each for each in timed.steps_s]),
        "look_ms": _spread([1000 * each for each in timed.looks_s]),
        "dropped": reading.dropped if reading is not None else 0,
    }


def _judged(judge: FrameJudge, episode: Episode) -> float:
    began_s = time.perf_counter()
    judge.score(episode)
    return time.perf_counter() - began_s


def _spread(values: list[float]) -> dict[str, float] | None:
    if not values:
        return None
    low, middle, high, most = np.percentile(values, [5, 50, 95, 100])
    names = ("p5", "median", "p95", "most")
    return {n: round(float(v), 4) for n, v in zip(names, (low, middle, high, most), strict=True)}


if __name__ == "__main__":
    main()
