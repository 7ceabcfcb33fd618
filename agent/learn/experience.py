"""What a critic knows before the first episode: views of earlier runs and how they came out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor

from agent.episode import ScoredEpisode, Verdict
from agent.errors import DataError
from agent.learn.record import encode
from agent.policy.policy import VLAPolicy

FILE = "critic_experience.safetensors"


@dataclass(frozen=True, slots=True)
class Experience:
    """Decisions of earlier episodes, one a row (n).

    features: (n, h) of the frozen base. elapsed: (n,) share of the horizon. left: (n,) decisions
    to the end, 1 at the last. success: (n,) bool. episode: (n,) which one.
    """

    features: Tensor
    elapsed: Tensor
    left: Tensor
    success: Tensor
    episode: Tensor

    def returns(self, gamma: float) -> Tensor:
        """Discounted sparse returns (n,): gamma^(left - 1) where the episode succeeded."""
        discounted = torch.as_tensor(gamma) ** (self.left.float() - 1.0)
        return torch.where(self.success, discounted, 0.0)


def gather(policy: VLAPolicy, episodes: Iterable[ScoredEpisode]) -> Experience:
    """Encode episodes with the frozen base. Raises DataError where there are none."""
    rows: list[tuple[Tensor, ...]] = []
    for number, scored in enumerate(episodes):
        _, outline = encode(policy, scored)
        count = len(outline.elapsed) - 1
        won = scored.signal.verdict is Verdict.SUCCESS
        rows.append(
            (
                outline.features[:-1],
                outline.elapsed[:-1],
                torch.arange(count, 0, -1),
                torch.full((count,), won),
                torch.full((count,), number),
            )
        )
    if not rows:
        raise DataError("no episodes to learn a critic from; record some with run --no-update")
    return Experience(*(torch.cat(column) for column in zip(*rows, strict=True)))


def save(experience: Experience, checkpoint: Path) -> None:
    """Write it beside the base whose features it holds, at half precision."""
    tensors = {
        "features": experience.features.half(),
        "elapsed": experience.elapsed.half(),
        "left": experience.left.short(),
        "success": experience.success,
        "episode": experience.episode.int(),
    }
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, checkpoint / FILE)
    (checkpoint / FILE).chmod(0o644)


def read(checkpoint: Path, width: int) -> Experience | None:
    """Read a checkpoint's, None where it has none. Raises DataError for one that does not fit."""
    path = checkpoint / FILE
    if not path.is_file():
        return None
    try:
        tensors = load(path.read_bytes())
        found = Experience(
            tensors["features"].float(),
            tensors["elapsed"].float(),
            tensors["left"].long(),
            tensors["success"],
            tensors["episode"].long(),
        )
    except (OSError, SafetensorError, KeyError) as error:
        raise DataError(f"{path} cannot be read: {error!r}; delete or restore it") from error
    if found.features.ndim != 2 or found.features.shape[1] != width:
        raise DataError(f"{path}: features of width {width} wanted, {found.features.shape} found")
    return found
