"""Seconds per episode that the shipped judge takes, with and without what it remembers.

    python -m benchmarks.reward_speed

Every way scores the same pictures; "plain" gives the model one view at a time, all its pictures
anew for each question, as transformers' own calls do it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from agent.reward.asking import Asker
from agent.reward.lessons import pictures_of
from agent.reward.question import PROGRESS, SUCCESS, asked
from agent.reward.reader import Frames
from agent.reward.vlm import VlmReader
from agent.reward.vlm_folder import SHIPPED, load_vlm
from benchmarks import setting

RESULTS = setting.ROOT / "results" / "reward-speed.json"
VIEWS, PX, INSTRUCTION = 20, 96, "pick up the red cube and place it in the basket"


def main() -> None:
    """Measure, and write the results file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--episodes", type=int, default=20, help="episodes a way")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    parser.add_argument("--out", type=Path, default=RESULTS)
    told = parser.parse_args()
    torch.set_num_threads(told.threads)
    model, processor = load_vlm(SHIPPED)
    asker = Asker(model, processor)
    reader, single = VlmReader(SHIPPED), VlmReader(SHIPPED, batch=1)
    ways: dict[str, Callable[[Frames], object]] = {
        "plain": lambda frames: _plain(asker, frames),
        "remembered, one view at a time": single.read,
        "remembered, in batches": reader.read,
    }
    episodes = [_episode(number) for number in range(told.episodes)]
    seconds = {name: [_timed(way, frames) for frames in episodes] for name, way in ways.items()}
    median = {name: round(statistics.median(each), 4) for name, each in seconds.items()}
    found = {
        "command": setting.command("reward_speed"),
        "what": f"median seconds to score an episode of {VIEWS} views of two cameras of {PX} px, "
        "two questions a view, on the shipped judge; ratio: plain over this way",
        "commit": setting.commit(),
        "machine": setting.machine("torch", "transformers"),
        "threads": told.threads,
        "judge": reader.id,
        "seconds": median,
        "ratio": {name: round(median["plain"] / value, 2) for name, value in median.items()},
    }
    told.out.write_text(json.dumps(found, indent=1) + "\n")


def _episode(seed: int) -> Frames:
    rng = np.random.default_rng(seed)
    looks = {name: rng.integers(0, 256, (VIEWS, PX, PX, 3)).astype(np.uint8)
             for name in ("agentview", "eye_in_hand")}  # fmt: skip
    return Frames(looks, INSTRUCTION)


def _plain(asker: Asker, frames: Frames) -> list[torch.Tensor]:
    with torch.inference_mode():
        return [
            asker.logits_of(asked(template, INSTRUCTION), [pictures_of(frames.images, view, 0)])
            for view in range(len(frames))
            for template in (SUCCESS, PROGRESS)
        ]


def _timed(way: Callable[[Frames], object], frames: Frames) -> float:
    began = time.perf_counter()
    way(frames)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
