"""What the model's short cuts save: a decision and an update, ours beside the naive way.

    python -m benchmarks.model_speed --size tiny fiftieth --out results/model-speed.json

Both ways run in turn in one process on one checkpoint with random weights in the published layout
(benchmarks.published_folder), so a busy machine slows both. The naive way is what a plain script
does: transformers' generate() over the whole vocabulary for a decision; for an update the towers,
the whole vocabulary and a second copy of the model as reference in every pass. Ratios are naive
time over ours; of proposals, N plain decisions of ours over N that share one look at the view.
An update is made with adapters on all blocks and on the top quarter alone. The planner's prediction
for this machine stands beside. On a CPU all is processor time, which others on it do not change.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agent.episode import (
    Episode,
    Observation,
    RewardSignal,
    ScoredEpisode,
    Step,
    Task,
    Terminated,
    Truncated,
    Verdict,
)
from agent.learn.critic import fitting_s
from agent.learn.foresight import held
from agent.learn.plan import Plan, Way, Work, plan
from agent.learn.ppo import PPOLearner
from agent.policy.pace import Pace
from agent.policy.policy import VLAPolicy
from agent.policy.sizes import Sizes, sizes_of
from agent.policy.twin import measure
from agent.policy.usage import Usage
from agent.settings import LearnSettings
from benchmarks import model_predicted, published_folder, setting
from benchmarks.naive_model import plain_decision, plain_update
from benchmarks.stopwatch import spent_on

INSTRUCTION = "put the red cube on the plate"
LEARNING = LearnSettings(
    epochs=1, minibatch=16, micro_batch=4, experience=False, kl_stop=10.0, rank=16
)


def main() -> int:
    """Measure each size and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--size", nargs="+", choices=sorted(published_folder.SIZES), default=["tiny"]
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--base", choices=("whole", "int8", "nf4"), default="whole")
    parser.add_argument("--episodes", type=int, default=2)
    parser.add_argument("--steps", type=int, default=8, help="decisions an episode")
    parser.add_argument("--rounds", type=int, default=5, help="of decisions")
    parser.add_argument("--proposals", type=int, default=8, help="samples of one view")
    parser.add_argument("--scratch", type=Path, default=None, help="where checkpoints are written")
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()
    rows = []
    for size in options.size:
        with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
            published_folder.write(size, Path(folder))
            rows.append({"size": size, **_measured(Path(folder), options)})
        sys.stderr.write(f"{size}: {json.dumps(rows[-1])}\n")
    report = {
        "command": setting.command("model_speed"),
        "commit": setting.commit(),
        "machine": setting.machine("torch", "transformers", "peft"),
        "device": options.device,
        "rows": rows,
        "predicted": {"protocol": model_predicted.PROTOCOL, "rows": model_predicted.rows()},
    }
    if options.out is not None:
        options.out.write_text(json.dumps(report, indent=1) + "\n")
    return 0


def _measured(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    torch.manual_seed(0)
    policy = VLAPolicy(folder, usage=Usage(device=options.device, base=options.base))
    view = _views(policy, 1)[0]
    ours, naive = [], []
    for index in range(options.rounds + 1):
        a = _took(policy, lambda: policy.act([view], 0.0))
        b = _took(policy, lambda: plain_decision(policy, view))
        if index:  # the first warms up
            ours.append(a)
            naive.append(b)
    eight = statistics.median(
        _took(policy, lambda: policy.act([view] * 8, 1.0)) for _ in range(options.rounds)
    )
    shared, apart = _proposals(policy, view, options)
    sizes = sizes_of(policy.config)
    top = max(1, sizes.depth // 4)
    pace = _pace(policy, sizes)  # a learner measures it at its first update, and knows it then
    episodes = [_episode(policy, index, options.steps) for index in range(options.episodes)]
    decisions = options.episodes * options.steps
    cut = _our_update(policy, LEARNING.model_copy(update={"top_layers": top}), episodes)
    cut_bytes = held(policy.device)
    policy = VLAPolicy(folder, usage=Usage(device=options.device, base=options.base))
    learned, peak = _our_update(policy, LEARNING, episodes), held(policy.device)
    plain = plain_update(policy, LEARNING, episodes)
    plainly = _took(policy, plain)
    said = {each: _foreseen(policy, sizes, each, decisions) for each in (0, top)}
    return {
        "parameters": sizes.parameters,
        "base": options.base,
        "decision_ratio": round(statistics.median(naive) / statistics.median(ours), 2),
        "decisions_at_once_8_ratio": round(8 * statistics.median(naive) / eight, 2),
        "proposals": options.proposals,
        "proposals_shared_s": round(shared, 4),
        "proposals_ratio": round(apart / shared, 2),
        "update_ratio": round(plainly / learned, 2),
        "update_decisions": decisions,
        "decision_s": round(statistics.median(ours), 4),
        # Acted with no adapter, as the naive way did; the plan's decision is through one.
        "decision_predicted_s": round(pace.see_s + pace.bare.of(sizes.depth), 4),
        "update_s": round(learned, 3),
        "update_predicted_s": round(said[0].update_s, 3),
        "peak_bytes": peak,
        "blocks": sizes.depth,
        "top_layers": top,
        "top_update_ratio": round(plainly / cut, 2),
        "top_update_s": round(cut, 3),
        "top_update_predicted_s": round(said[top].update_s, 3),
        "top_peak_bytes": cut_bytes,
        "naive_update_s": round(plainly, 3),
        "naive_peak_bytes": held(policy.device),
        "pace": asdict(pace),
    }


def _took(policy: VLAPolicy, work: Callable[[], object]) -> float:
    """Seconds: of the processor's on a CPU, which has one thread of ours, else of the clock."""
    spent = spent_on(work)
    return spent.cpu_s if policy.device.type == "cpu" else spent.wall_s


def _pace(policy: VLAPolicy, sizes: Sizes) -> Pace:
    learning = LEARNING.rank, LEARNING.micro_batch
    return measure(policy.config, sizes, policy.base, policy.dtype, policy.device, learning)


def _foreseen(policy: VLAPolicy, sizes: Sizes, top: int, decisions: int) -> Plan:
    way = Way(
        policy.base, policy.dtype.itemsize, LEARNING.micro_batch, checkpointing=False, top=top
    )
    work = Work(decisions, fitting_s(sizes.hidden, decisions))
    return plan(sizes, LEARNING, _pace(policy, sizes), way, work)


def _proposals(
    policy: VLAPolicy, view: Observation, options: argparse.Namespace
) -> tuple[float, float]:
    """Median seconds of N samples of one view: by one look at it, and by N decisions of our own."""
    count, shared, apart = options.proposals, [], []
    for index in range(options.rounds + 1):
        a = _took(policy, lambda: policy.propose(view, count, 1.0))
        b = _took(policy, lambda: [policy.act([view], 1.0) for _ in range(count)])
        if index:
            shared.append(a)
            apart.append(b)
    return statistics.median(shared), statistics.median(apart)


def _views(policy: VLAPolicy, count: int, seed: int = 0) -> list[Observation]:
    rng = np.random.default_rng(seed)
    return [
        Observation(
            {name: rng.integers(0, 256, (224, 224, 3), np.uint8) for name in policy.config.cameras},
            np.zeros(0, np.float32),
            INSTRUCTION,
            float(index),
        )
        for index in range(count)
    ]


def _episode(policy: VLAPolicy, number: int, steps: int) -> ScoredEpisode:
    views = _views(policy, steps + 1, seed=number)
    played = []
    for view in views[:-1]:
        (decision,) = policy.act([view], 1.0)
        done, track = np.ones(len(decision.actions), bool), np.zeros((len(decision.actions), 0))
        played.append(Step(view, decision, decision.actions, done, track.astype(np.float32)))
    won = number % 2 == 0
    episode = Episode(
        f"{number:06d}",
        Task("put", INSTRUCTION, number, steps * 2),
        policy.adapter,
        1.0,
        tuple(played),
        views[-1],
        Terminated("success") if won else Truncated("timeout"),
    )
    verdict = Verdict.SUCCESS if won else Verdict.FAILURE
    return ScoredEpisode(
        episode, RewardSignal(np.zeros(steps + 1, np.float32), float(won), verdict, "made/1")
    )


def _our_update(
    policy: VLAPolicy, settings: LearnSettings, episodes: Sequence[ScoredEpisode]
) -> float:
    learner = PPOLearner(policy, settings, 0)

    def work() -> None:
        for scored in episodes:
            learner.observe(scored)
        with tempfile.TemporaryDirectory() as folder:
            learner.update(episodes, 1, Path(folder) / "0001")

    return _took(policy, work)


if __name__ == "__main__":
    sys.exit(main())
