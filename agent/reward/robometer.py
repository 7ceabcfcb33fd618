"""A judge behind Robometer's evaluation server: frames as .npy parts, a figure for each frame."""

from __future__ import annotations

import hashlib
import io
import json
import secrets
from collections.abc import Iterator
from typing import Any

import numpy as np

from agent.episode import Float32Array, Uint8Array
from agent.errors import RewardUnavailable
from agent.reward.line import Body, Line
from agent.reward.reader import Frames, Opinion

MOST_FRAMES = 16  # of one trajectory; the published models were trained on about as many

MARGIN = 0.25


class RobometerReader:
    """Sends each camera as one trajectory; progress and success are means over the cameras.

    Of a long episode the views go in parts, each beginning with the episode's first view.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._id = ""

    @property
    def id(self) -> str:
        """robometer/model@hash; weights out of reach are known by what the server says of them."""
        if not self._id:
            self._know()
        return self._id

    def read(self, frames: Frames) -> Opinion:
        """Say it of every view. Raises RewardUnavailable."""
        self._know()
        count = len(frames)
        success, progress = np.zeros(count, np.float32), np.zeros(count, np.float32)
        for rows in _parts(count):
            shown = [images[rows] for images in frames.images.values()]
            told = self._line.ask("/evaluate_batch_npy", body_of(shown, frames.instruction))
            success[rows] = self._mean(told, "outputs_success", "success_probs", shown)
            progress[rows] = self._mean(told, "outputs_progress", "progress_pred", shown)
        doubt = 1.0 - np.abs(2.0 * success - 1.0)
        return Opinion(success, progress, np.asarray(doubt, np.float32))

    def _mean(
        self,
        told: Any,  # noqa: ANN401  any JSON
        group: str,
        name: str,
        shown: list[Uint8Array],
    ) -> Float32Array:
        """One figure a frame, held to its shape."""
        wanted = (len(shown), len(shown[0]))
        try:
            found = np.array([np.ravel(each) for each in told[group][name]], np.float64)
        except (TypeError, KeyError, ValueError) as error:
            raise RewardUnavailable(
                f"{self._line.url}: {group}.{name} wanted, found {told!r:.120}"
            ) from error
        # A head that is trained to 0 and 1 goes a little beyond them; NaN is not near either.
        if found.shape != wanted or not bool(np.all(np.abs(found - 0.5) <= 0.5 + MARGIN)):
            raise RewardUnavailable(
                f"{self._line.url}: {name} of 0 to 1 and shape {wanted} wanted, "
                f"found {found.shape}: {np.ravel(found)[:4]}"
            )
        return np.asarray(np.clip(found, 0.0, 1.0).mean(0), np.float32)

    def _know(self) -> None:
        """Learn who answers, once it says that it is well."""
        if self._id:
            return
        health = self._line.ask("/health")
        if not isinstance(health, dict) or health.get("status") != "healthy":
            raise RewardUnavailable(f"{self._line.url}: healthy wanted, found {health!r:.80}")
        info = self._line.ask("/model_info")
        if not isinstance(info, dict) or "model_path" not in info:
            raise RewardUnavailable(f"{self._line.url}: model_path wanted, found {info!r:.80}")
        # How many cards serve it is no part of what it is.
        lasting = {key: value for key, value in info.items() if key != "num_gpus"}
        told_hash = hashlib.sha256(json.dumps(lasting, sort_keys=True).encode()).hexdigest()
        name = str(info["model_path"]).rstrip("/").rpartition("/")[2]
        self._id = f"robometer/{name}@{told_hash[:12]}"


def body_of(trajectories: list[Uint8Array], instruction: str) -> Body:
    """A multipart form: for each trajectory (n, h, w, 3) its sample as JSON and its frames."""
    mark = secrets.token_hex(16)
    pieces: list[bytes] = []
    for number, frames in enumerate(trajectories):
        key = f"sample_{number}_trajectory_frames"
        sample = {
            "sample_type": "progress",
            "trajectory": {
                "id": str(number),
                "task": instruction,
                "frames": {"__numpy_file__": key},
                "frames_shape": list(frames.shape),
                "metadata": {"subsequence_length": len(frames)},
                "video_embeddings": None,
                "text_embedding": None,
            },
        }
        pieces += _part(mark, f'name="sample_{number}"', "", json.dumps(sample).encode())
        file = io.BytesIO()
        np.save(file, np.ascontiguousarray(frames), allow_pickle=False)
        named = f'name="{key}"; filename="{key}.npy"'
        pieces += _part(mark, named, "application/octet-stream", file.getvalue())
    pieces.append(f"--{mark}--\r\n".encode())
    return Body(b"".join(pieces), f"multipart/form-data; boundary={mark}")


def _part(mark: str, disposition: str, kind: str, data: bytes) -> list[bytes]:
    head = f"--{mark}\r\nContent-Disposition: form-data; {disposition}\r\n"
    if kind:
        head += f"Content-Type: {kind}\r\n"
    return [head.encode(), b"\r\n", data, b"\r\n"]


def _parts(count: int) -> Iterator[list[int]]:
    """Rows of each request, the first view before the others."""
    step = MOST_FRAMES - 1
    for start in range(1, max(count, 2), step):
        yield [0, *range(start, min(start + step, count))]
