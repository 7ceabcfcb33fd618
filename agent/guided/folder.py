"""Pictures and arm poses as they are taken: on disk at once, and taken up again."""

from __future__ import annotations

import io
import json
from pathlib import Path

from agent import durable
from agent.episode import Uint8Array
from agent.errors import DataError
from calibration.board import Board, Seen
from calibration.pictures import KINDS, POSES, look, poses
from calibration.rigid import Float64Array


class CaptureFolder:
    """A folder that `calibrate camera` and `calibrate hand-eye` read; every picture survives."""

    def __init__(self, folder: Path, board: Board, *, posed: bool) -> None:
        self._folder, self._board, self._posed = folder, board, posed
        self._told: dict[str, dict[str, list[float]]] = {}
        self.seen: list[Seen | None] = []
        self.tools: list[Float64Array] = []
        self.size: tuple[int, int] | None = None

    def open(self) -> int:
        """Take up what is there, and say how many pictures. Raises DataError where it is torn."""
        self._folder.mkdir(parents=True, exist_ok=True)
        files = self._files()
        if self._posed and (self._folder / POSES).exists():
            self._told = self._read()
        if self._posed and (bare := [file.name for file in files if file.name not in self._told]):
            raise DataError(
                f"{self._folder}: an arm pose of each picture wanted in {POSES}, {bare[0]} has "
                "none; delete it, or take pictures into an empty folder"
            )
        if files:
            self.seen, self.size = look(self._board, files)
            self.tools = list(poses(self._folder, files)) if self._posed else []
        return len(files)

    def add(self, picture: Uint8Array, seen: Seen | None, tool: Float64Array | None) -> Path:
        """Keep a picture (h, w, 3), and the arm's pose (4, 4) at it; both are on disk then."""
        from PIL import Image
        from scipy.spatial.transform import Rotation

        size = (picture.shape[1], picture.shape[0])
        if self.size is not None and size != self.size:
            raise DataError(
                f"pictures of {self.size[0]} x {self.size[1]} px wanted, as {self._folder} has "
                f"them, found {size[0]} x {size[1]}; take them into an empty folder"
            )
        name = f"{self._next():04d}.png"
        if tool is not None:
            # The pose first: a picture without one could not be used, a pose without is ignored.
            self._told[name] = {
                "position_m": tool[:3, 3].tolist(),
                "quaternion_xyzw": Rotation.from_matrix(tool[:3, :3]).as_quat().tolist(),
            }
            durable.write_text(self._folder / POSES, json.dumps(self._told, indent=1) + "\n")
            self.tools.append(tool)
        kept = io.BytesIO()
        Image.fromarray(picture).save(kept, "PNG")
        durable.write_bytes(self._folder / name, kept.getvalue())
        self.seen.append(seen)
        self.size = size
        return self._folder / name

    @property
    def views(self) -> int:
        """How many pictures show the board."""
        return sum(each is not None for each in self.seen)

    def _files(self) -> list[Path]:
        return sorted(each for each in self._folder.iterdir() if each.suffix.lower() in KINDS)

    def _next(self) -> int:
        numbers = [int(file.stem) for file in self._files() if file.stem.isdecimal()]
        return max(numbers, default=-1) + 1

    def _read(self) -> dict[str, dict[str, list[float]]]:
        file = self._folder / POSES
        try:
            told = json.loads(file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"arm poses wanted in {file}, found {error}; delete it") from error
        if not isinstance(told, dict):
            raise DataError(f"arm poses by picture wanted in {file}, found {type(told).__name__}")
        return told
