"""What an update made of each decision: its value, advantage, rewards and probabilities.

One small file beside the update's report, `updates/<number>.safetensors`, written before the
report commits the update. Torch is not needed to read it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from agent import durable
from agent.episode import Float32Array
from agent.errors import DataError

FILE = "explanation.safetensors"  # in a candidate's folder, until its update is committed
SUFFIX = ".safetensors"
_FORMAT = "vlarl-explanation/1"


@dataclass(frozen=True, slots=True)
class Explained:
    """One episode of an update, t decisions of d tokens each.

    sparse, progress, penalty: (t,) the parts of the reward.
    value: (t + 1,) what the critic expected at each view; NaN where plain averages were used.
    advantage: (t,) in units of success. weighed: (t,) as the loss used it, normalised.
    before, after: (t, d) log-probabilities of the tokens under the adapter that acted and under
    the candidate made of it; NaN in decisions that took no part, because nothing of them was
    carried out, or because the rule learns nothing from them.
    """

    sparse: Float32Array
    progress: Float32Array
    penalty: Float32Array
    value: Float32Array
    advantage: Float32Array
    weighed: Float32Array
    before: Float32Array
    after: Float32Array

    @property
    def decisions(self) -> int:
        """How many there are."""
        return len(self.advantage)

    @property
    def ratio(self) -> Float32Array:
        """Probability of each token after the update over that before, (t, d)."""
        ratio: Float32Array = np.exp(self.after - self.before).astype(np.float32)
        return ratio


def write(folder: Path, episodes: Sequence[tuple[str, Explained]]) -> None:
    """Leave the file in a candidate's folder, durably. Raises StorageError."""
    durable.write_bytes(folder / FILE, pack(episodes))


def pack(episodes: Sequence[tuple[str, Explained]]) -> bytes:
    """The file's content; the same explanations give the same bytes."""
    tensors: dict[str, NDArray[np.float32]] = {}
    for field in fields(Explained):
        rows = [getattr(explained, field.name) for _, explained in episodes]
        tensors[field.name] = np.ascontiguousarray(np.concatenate(rows), dtype=np.float32)
    told = {name: explained.decisions for name, explained in episodes}
    # One key: the library writes several in an order of its own.
    data: bytes = save(tensors, metadata={_FORMAT: json.dumps(told)})
    return data


def read(path: Path) -> dict[str, Explained]:
    """All of an update's explanations, by episode id. Raises DataError for a damaged file."""
    try:
        data = path.read_bytes()
        tensors = load(data)
        counts = _counts(data)
        width = [tensors["before"].shape[1], tensors["after"].shape[1]]
        found, at, views = {}, 0, 0
        for name, count in counts.items():
            rows, seen = slice(at, at + count), slice(views, views + count + 1)
            parts = {
                f.name: tensors[f.name][seen if f.name == "value" else rows]
                for f in fields(Explained)
            }
            found[name] = Explained(**parts)
            at, views = at + count, views + count + 1
        sizes = {
            len(tensors[f.name]) - (views if f.name == "value" else at) for f in fields(Explained)
        }
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, IndexError) as error:
        raise DataError(f"{path}: cannot be read: {error}; leave it out") from error
    if sizes != {0} or width[0] != width[1]:
        raise DataError(
            f"{path}: want one row a decision in every array, found others; leave it out"
        )
    return found


def _counts(data: bytes) -> dict[str, int]:
    # The library gives no metadata of bytes; its header is a length and a JSON object.
    size = int.from_bytes(data[:8], "little")
    told = json.loads(data[8 : 8 + size])["__metadata__"]
    if _FORMAT not in told:
        raise ValueError(f"want {_FORMAT}, found {', '.join(told)[:40]!r}")
    counts = {str(name): int(count) for name, count in json.loads(told[_FORMAT]).items()}
    if any(count < 0 for count in counts.values()):
        raise ValueError("want counts of 0 or more")
    return counts
