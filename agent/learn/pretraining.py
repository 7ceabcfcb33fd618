"""From demonstrations to a checkpoint folder: builds the tiny VLA, clones, saves."""

from __future__ import annotations

import contextlib
import multiprocessing
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import distributed

from agent.children import end_with_parent
from agent.episode import Episode
from agent.learn.clone import Cloner, CloneSettings, Progress, Prompts
from agent.learn.demonstrations import Frames, gather
from agent.policy.action_tokens import read_stats, stats_to_json
from agent.policy.checkpoint import (
    build_tiny,
    load_checkpoint,
    load_config,
    save_checkpoint,
)
from agent.policy.config import VLAConfig, tiny_text_config
from agent.policy.tokenizer import EMPTY, PromptTokenizer, tiny_tokenizer
from agent.policy.towers import tiny_towers


@dataclass(frozen=True, slots=True)
class TinySettings:
    """Sizes of the built-in VLA. name: of its action statistics."""

    name: str = "tabletop"
    cameras: tuple[str, ...] = ("agentview", "eye_in_hand")
    patch: int = 24
    vision_width: int = 96
    hidden: int = 128
    layers: int = 4
    chunk: int = 4
    processes: int = 1
    clone: CloneSettings = field(default_factory=CloneSettings)


def pretrain(
    episodes: Iterable[Episode],
    out: Path,
    settings: TinySettings,
    start: Path | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> None:
    """Clone demonstrations into a fresh tiny VLA, or go on from `start`, and save it to `out`.

    Raises DataError for demonstrations that cannot be cloned.
    """
    frames = gather(episodes, settings.cameras)
    config = tiny_config(frames, settings) if start is None else load_config(start)
    tokenizer = PromptTokenizer(tiny_tokenizer(), config)

    def work() -> None:
        model = load_checkpoint(start) if start else build_tiny(config, settings.clone.seed)
        ids, mask = tokenizer.batch(frames.instructions)
        stats = read_stats(config.norm_stats, config.norm_key)
        cloner = Cloner(model, frames, Prompts(ids, mask), stats, settings.clone)
        cloner.run(on_progress, lambda kept: save_checkpoint(kept, tokenizer, out))

    with _company(settings.processes, work):
        work()


@contextlib.contextmanager
def _company(processes: int, work: Callable[[], None]) -> Iterator[None]:
    """Inside, `work` runs here and in `processes` - 1 forks, which average their gradients."""
    if processes == 1:
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        meeting = f"file://{folder}/meeting"
        # Forks share the frames' memory; nothing of torch has run yet.
        context = multiprocessing.get_context("fork")
        others = [
            context.Process(target=_join, args=(rank, processes, meeting, work), daemon=True)
            for rank in range(1, processes)
        ]
        for other in others:
            other.start()
        distributed.init_process_group("gloo", meeting, rank=0, world_size=processes)
        try:
            yield
        finally:
            distributed.destroy_process_group()


def _join(rank: int, processes: int, meeting: str, work: Callable[[], None]) -> None:
    end_with_parent()
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", meeting, rank=rank, world_size=processes)
    work()


def tiny_config(frames: Frames, settings: TinySettings) -> VLAConfig:
    """The tiny VLA for these demonstrations.

    Actions keep the robot's own full scale, not the demonstrator's quantiles: a policy that must
    later outdo its teacher (a weaker actuator, say) needs the room.
    """
    image_px = int(frames.images[0].shape[2])
    dino, siglip = tiny_towers(image_px, settings.vision_width)
    # A number that never varies keeps a scale of one.
    spread = frames.proprio.std(0)
    return VLAConfig(
        text_config=tiny_text_config(settings.hidden, settings.layers),
        towers=(replace(dino, patch=settings.patch), replace(siglip, patch=settings.patch)),
        norm_stats={settings.name: stats_to_json([-1.0] * 6 + [0.0], [1.0] * 7)},
        cameras=settings.cameras,
        proprio_dim=frames.proprio.shape[1],
        proprio_mean=tuple(float(v) for v in frames.proprio.mean(0)),
        proprio_std=tuple(float(v) for v in np.where(spread > 1e-3, spread, 1.0)),
        chunk=settings.chunk,
        decoding="one-pass",
        empty_token_id=int(tiny_tokenizer().token_to_id(EMPTY) or 0),
    )
