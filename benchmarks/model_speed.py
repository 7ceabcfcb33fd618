"""What the model's short cuts save: a decision and an update, ours beside the naive way.

    python -m benchmarks.model_speed --size tiny fiftieth --out results/model-speed.json

Both ways run in turn in one process on one checkpoint with random weights in the published layout
(benchmarks.published_folder), so a busy machine slows both. The naive way is what a plain script
does: transformers' generate() over the whole vocabulary for a decision; for an update the towers,
the whole vocabulary and a second copy of the model as reference in every pass. Ratios are naive
time over ours; of proposals, N plain decisions of ours over N that share one look at the view.
The planner's prediction for this machine stands beside.
"""

from __future__ import annotations

import argparse
import copy
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import Tensor

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
from agent.learn.foresight import held
from agent.learn.plan import Way, plan
from agent.learn.ppo import PPOLearner
from agent.policy.images import to_pixels
from agent.policy.policy import VLAPolicy
from agent.policy.roofline import measure
from agent.policy.sizes import sizes_of
from agent.policy.usage import Usage
from agent.settings import LearnSettings
from benchmarks import published_folder, setting
from benchmarks.stopwatch import spent_on

INSTRUCTION = "put the red cube on the plate"
TARGETS = r".*layers\.\d+\.(self_attn\.[qkvo]_proj|mlp\.(gate|up|down)_proj)"


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
        a = spent_on(lambda: policy.act([view], 0.0)).wall_s
        b = spent_on(lambda: _plain_decision(policy, view)).wall_s
        if index:  # the first warms up
            ours.append(a)
            naive.append(b)
    eight = statistics.median(
        spent_on(lambda: policy.act([view] * 8, 1.0)).wall_s for _ in range(options.rounds)
    )
    shared, apart = _proposals(policy, view, options)
    settings = LearnSettings(
        epochs=1, minibatch=16, micro_batch=4, experience=False, kl_stop=10.0, rank=16
    )
    episodes = [_episode(policy, index, options.steps) for index in range(options.episodes)]
    decisions = options.episodes * options.steps
    learned = _our_update(policy, settings, episodes)
    plainly = _plain_update(policy, settings, episodes)
    sizes = sizes_of(policy.config)
    line = measure(policy.device, policy.dtype)
    way = Way(options.base, policy.dtype.itemsize, settings.micro_batch, checkpointing=False)
    said = plan(sizes, settings, line, way, decisions)
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
        "decision_predicted_s": round(said.decision_s, 4),
        "update_s": round(learned, 3),
        "update_predicted_s": round(said.update_s, 3),
        "peak_bytes": held(policy.device),
        "roofline": asdict(line),
    }


def _proposals(
    policy: VLAPolicy, view: Observation, options: argparse.Namespace
) -> tuple[float, float]:
    """Median seconds of N samples of one view: by one look at it, and by N decisions of our own."""
    count, shared, apart = options.proposals, [], []
    for index in range(options.rounds + 1):
        a = spent_on(lambda: policy.propose(view, count, 1.0)).wall_s
        b = spent_on(lambda: [policy.act([view], 1.0) for _ in range(count)]).wall_s
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

    return spent_on(work).wall_s


@torch.inference_mode()
def _plain_decision(policy: VLAPolicy, view: Observation) -> Tensor:
    embeds = _embeds(policy, policy.model.language_model, [view])
    ids: Tensor = policy.model.language_model.generate(
        inputs_embeds=embeds,
        attention_mask=torch.ones(embeds.shape[:2], device=embeds.device, dtype=torch.long),
        max_new_tokens=policy.config.tokens,
        min_new_tokens=policy.config.tokens,
        do_sample=False,
        pad_token_id=policy.config.pad_token_id,
    )
    return ids


def _embeds(policy: VLAPolicy, language: Any, views: Sequence[Observation]) -> Tensor:  # noqa: ANN401
    """BOS, patches, prompt, as the published code puts them together; the towers run each time."""
    inputs = policy.batch(views).to(policy.device)
    pixels = to_pixels(inputs.pixels, policy.config.pixel_mean, policy.config.pixel_std)
    words = language.get_input_embeddings()(inputs.prompt_ids)
    patches = policy.model.patches(pixels).to(words.dtype)
    return torch.cat([words[:, :1], patches, words[:, 1:]], 1)


def _plain_update(
    policy: VLAPolicy, settings: LearnSettings, episodes: Sequence[ScoredEpisode]
) -> float:
    """The same passes over the same decisions: an epoch, its log-probabilities, KL, forgetting."""
    language = copy.deepcopy(_bare(policy))
    reference = copy.deepcopy(language)
    config = LoraConfig(r=settings.rank, lora_alpha=16, target_modules=TARGETS)
    inject_adapter_in_model(config, language)
    views = [step.observation for scored in episodes for step in scored.episode.steps]
    bins = np.stack(
        [step.decision.tokens for scored in episodes for step in scored.episode.steps]
    ).astype(np.int64)
    tokens = torch.from_numpy(policy.config.base_vocabulary - 1 - bins).to(policy.device)
    optimizer = torch.optim.AdamW([p for p in language.parameters() if p.requires_grad], lr=1e-5)

    def scores(model: Any, rows: slice) -> Tensor:  # noqa: ANN401
        with torch.no_grad():
            embeds = _embeds(policy, model, views[rows])
        said = model.get_input_embeddings()(tokens[rows, :-1])
        logits = model(inputs_embeds=torch.cat([embeds, said], 1)).logits.float()
        chances = torch.log_softmax(logits[:, -policy.config.tokens :], -1)
        return chances.gather(-1, tokens[rows].unsqueeze(-1)).squeeze(-1)

    def looked(model: Any) -> None:  # noqa: ANN401
        with torch.no_grad():
            for start in range(0, len(views), settings.micro_batch):
                scores(model, slice(start, start + settings.micro_batch))

    def work() -> None:
        looked(reference)  # the features that a critic is fitted on
        for _ in range(settings.epochs):
            for start in range(0, len(views), settings.micro_batch):
                rows = slice(start, start + settings.micro_batch)
                with torch.no_grad():
                    theirs = scores(reference, rows)
                ours = scores(language, rows)
                (-(ours - ours.detach()).exp().mean() + (ours - theirs).square().mean()).backward()
            optimizer.step()
            optimizer.zero_grad()
            looked(language)
        for model in (language, reference, language, reference):
            looked(model)

    return spent_on(work).wall_s


def _bare(policy: VLAPolicy) -> Any:  # noqa: ANN401
    """The language model as it was before any adapter."""
    policy.adapters.activate(None)
    model = copy.deepcopy(policy.model.language_model)
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if hasattr(child, "base_layer"):
                setattr(parent, name, child.base_layer)
    return model


if __name__ == "__main__":
    sys.exit(main())
