"""How the world looked that a policy was trained in: start views of its episodes, in one file."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent import durable
from agent.episode import Episode, Uint8Array
from agent.errors import DataError
from agent.policy.policy import VLAPolicy

FILE = "training_views.npz"
MOST = 84  # views in a file
FEWEST = 6  # of an instruction, or views of every instruction are taken


@dataclass(frozen=True, slots=True)
class TrainingViews:
    """Start views as the towers are given them: what a policy does has no say in them.

    pictures: (n, C, px, px, 3) uint8, by camera. instructions: (n,) what was asked for.
    """

    cameras: tuple[str, ...]
    pictures: Uint8Array
    instructions: tuple[str, ...]

    def alike(self, instructions: frozenset[str]) -> Uint8Array:
        """Views of the scenes in which this was asked; of all where there are too few of them."""
        rows = [n for n, asked in enumerate(self.instructions) if asked in instructions]
        return self.pictures[rows] if len(rows) >= FEWEST else self.pictures


class Gathering:
    """Takes the start views of one episode after the other; each instruction gets its share."""

    def __init__(self, policy: VLAPolicy) -> None:
        self._policy = policy
        self._views: dict[str, list[Uint8Array]] = {}

    def take(self, episode: Episode) -> None:
        """Keep where an episode began."""
        known = self._views.setdefault(episode.task.instruction, [])
        if len(known) < MOST:
            known.append(start_view(self._policy, episode))

    def found(self) -> TrainingViews:
        """What there is. Raises DataError for nothing."""
        if not self._views:
            raise DataError("no episodes to take start views of; record some with run --no-update")
        share = max(1, MOST // len(self._views))
        chosen = [(a, view) for a, views in sorted(self._views.items()) for view in views[:share]]
        return TrainingViews(
            self._policy.config.cameras,
            np.stack([view for _, view in chosen]),
            tuple(asked for asked, _ in chosen),
        )


def start_view(policy: VLAPolicy, episode: Episode) -> Uint8Array:
    """The first view of an episode as the towers are given it, (C, px, px, 3)."""
    first = episode.steps[0].observation if episode.steps else episode.last
    seen: Uint8Array = policy.batch([first]).pixels[0].numpy()
    return seen


def save(views: TrainingViews, checkpoint: Path) -> None:
    """Write them beside the weights. Raises StorageError."""
    told = json.dumps({"cameras": views.cameras, "instructions": views.instructions})
    buffer = io.BytesIO()
    np.savez_compressed(buffer, told=np.array(told), pictures=views.pictures)
    durable.write_bytes(checkpoint / FILE, buffer.getvalue())


def read(checkpoint: Path, cameras: tuple[str, ...], px: int) -> TrainingViews:
    """Read a checkpoint's. Raises DataError where there are none, or they do not fit."""
    path = checkpoint / FILE
    if not path.is_file():
        raise DataError(
            f"how the training world looks is wanted at {path}, found nothing; make it of runs in "
            f"that world: vlarl-agent prime RUN... --checkpoint {checkpoint} --only views"
        )
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("it is no .npz file")
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            told, pictures = json.loads(str(file["told"])), file["pictures"]
        found = TrainingViews(tuple(told["cameras"]), pictures, tuple(told["instructions"]))
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} cannot be read: {error}; delete or restore it") from error
    wanted = (len(found.instructions), len(cameras), px, px, 3)
    if pictures.shape != wanted or pictures.dtype != np.uint8 or not len(pictures):
        raise DataError(
            f"{path}: pictures {wanted} wanted, {pictures.shape} {pictures.dtype} found"
        )
    return found
