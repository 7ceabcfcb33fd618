"""What makes a deployment's pictures look as those of the training world, camera by camera."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from agent import durable
from agent.errors import DataError

FILE = "correction.safetensors"
PARTS = ("place", "colours", "bias")


@dataclass(frozen=True, slots=True)
class Correction:
    """An affine map of where things are in each camera's picture, then one of its colours.

    place: (C, 2, 3) where in the picture that is found which belongs at a point of the corrected
    one, both from -1 to 1 over the picture. colours: (C, 3, 3), bias: (C, 3), of red, green and
    blue in 0 .. 1. All float32.
    """

    cameras: tuple[str, ...]
    place: Tensor
    colours: Tensor
    bias: Tensor

    @property
    def name(self) -> str:
        """Another one for other numbers."""
        return _digest(self.cameras, self._tensors())

    def moves(self, camera: int) -> bool:
        """Whether anything changes its place in this camera's picture."""
        return not torch.equal(self.place[camera].cpu(), torch.eye(2, 3))

    def __call__(self, unit: Tensor) -> Tensor:
        """Correct pictures (B, C, 3, h, w) of values in 0 .. 1; they stay there."""
        placed = [self._placed(unit[:, index], index) for index in range(len(self.cameras))]
        colours, bias = self.colours.to(unit.device), self.bias.to(unit.device)
        mixed = torch.einsum("cij,bcjhw->bcihw", colours, torch.stack(placed, 1))
        return (mixed + bias[None, :, :, None, None]).clamp(0.0, 1.0)

    def reach(self, camera: int, height: int, width: int) -> Tensor:
        """(h, w) bool, True where the corrected picture shows what the camera truly saw."""
        here = affine_grid(self.place[camera][None], [1, 1, height, width], align_corners=False)
        return (here[0].abs() <= 1.0).all(-1)

    def save(self, folder: Path) -> None:
        """Write it to an adapter's folder. Raises StorageError."""
        # One entry: several are written in any order, and the same correction is to be one file.
        told = json.dumps({"cameras": self.cameras, "sha256": self.name})
        durable.write_bytes(folder / FILE, save(self._tensors(), metadata={"told": told}))

    def _placed(self, pictures: Tensor, camera: int) -> Tensor:
        if not self.moves(camera):
            return pictures  # bit for bit: drawing anew would blur
        place = self.place[camera].to(pictures.device).expand(len(pictures), 2, 3)
        grid = affine_grid(place, list(pictures.shape), align_corners=False)
        return grid_sample(pictures, grid, padding_mode="border", align_corners=False)

    def _tensors(self) -> dict[str, Tensor]:
        return {part: getattr(self, part).cpu().contiguous() for part in PARTS}


def unchanged(cameras: tuple[str, ...]) -> Correction:
    """The one that leaves every picture as it is."""
    count = len(cameras)
    return Correction(
        cameras,
        torch.eye(2, 3).repeat(count, 1, 1),
        torch.eye(3).repeat(count, 1, 1),
        torch.zeros(count, 3),
    )


def read(folder: Path, cameras: tuple[str, ...]) -> Correction | None:
    """Read what lies in an adapter's folder; None where it has none.

    Raises DataError for a damaged file, and for one that was made for other cameras.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        with safe_open(str(path), "pt") as file:
            told = json.loads((file.metadata() or {})["told"])
        tensors = load(path.read_bytes())
        found = Correction(tuple(told["cameras"]), *(tensors[part] for part in PARTS))
        sound = found.name == told["sha256"]
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise DataError(f"{path} cannot be read: {error!r}; restore it") from error
    if not sound:
        raise DataError(
            f"{path} is damaged: its numbers are not those that were written; restore it"
        )
    if len(found.cameras) != len(cameras):
        raise DataError(
            f"{path} corrects cameras {', '.join(found.cameras)}; this policy looks through "
            f"{', '.join(cameras)}"
        )
    return found


def _digest(cameras: tuple[str, ...], tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256(json.dumps(cameras).encode())
    for part in PARTS:
        digest.update(tensors[part].float().numpy().tobytes())
    return digest.hexdigest()
