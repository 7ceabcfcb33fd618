"""Reads an exported dataset with the lerobot package itself, and compares it to its own files.

Run by a Python that has lerobot and none of this project: docs/exports.md says how to make one.

    lerobot-env/bin/python benchmarks/lerobot_check.py DATASET --out results/lerobot_check.json

Every frame is asked of LeRobotDataset; index, timestamp, action, state and task must be those of
the data files, every film frame must lie at its timestamp, chunks of later actions must be the
actions that follow, and lerobot's own merge of the episodes' statistics must give meta/stats.json.
"""

from __future__ import annotations

import argparse
import functools
import importlib.metadata
import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow.parquet as pq
import torch

CHUNK = 4  # actions asked for at once
# A build of torchvision without its compiled operators wants these declared before it is imported.
OPERATORS = (
    "torchvision::nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "torchvision::qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


def main() -> None:
    """Check a dataset; ends with 1 at the first difference."""
    parser = argparse.ArgumentParser()
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--out", type=Path)
    told = parser.parse_args()
    found = {
        "command": f"python benchmarks/lerobot_check.py {told.dataset.name}",
        "versions": {
            name: importlib.metadata.version(name)
            for name in ("lerobot", "torch", "torchvision", "av", "pyarrow", "datasets")
        },
        **check(told.dataset),
    }
    text = json.dumps(found, indent=1)
    sys.stdout.write(text + "\n")
    if told.out:
        told.out.write_text(text + "\n")


def check(root: Path) -> dict[str, Any]:
    """Every frame through LeRobotDataset, against the files; raises AssertionError."""
    lerobot_dataset = _import()
    fps = json.loads((root / "meta" / "info.json").read_text())["fps"]
    steps = [i / fps for i in range(CHUNK)]
    dataset = lerobot_dataset.LeRobotDataset(
        "local/export", root=root, video_backend="pyav", delta_timestamps={"action": steps}
    )
    rows = [row for path in sorted(root.glob("data/*/*.parquet")) for row in _rows(path)]
    _same("frames", len(dataset), len(rows))
    worst = 0.0
    for index, row in enumerate(rows):
        item = dataset[index]
        for key in ("index", "episode_index", "frame_index", "task_index", "limits", "next.done"):
            _same(f"{key} of frame {index}", item[key].item(), row[key])
        worst = max(worst, abs(item["timestamp"].item() - row["frame_index"] / fps))
        _same(f"state of frame {index}", item["observation.state"].tolist(), _floats(row, "state"))
        end = dataset.meta.episodes[row["episode_index"]]["dataset_to_index"]
        ahead = [rows[min(index + step, end - 1)]["action"] for step in range(CHUNK)]
        _same(f"actions from frame {index}", item["action"].tolist(), np.float32(ahead).tolist())
        for key in dataset.meta.video_keys:
            h, w, _ = dataset.meta.features[key]["shape"]
            _same(f"shape of {key}", tuple(item[key].shape), (3, h, w))
    _check_statistics(root)
    return {
        "episodes": dataset.num_episodes,
        "frames": len(rows),
        "cameras": len(dataset.meta.video_keys),
        "tasks": dataset.meta.total_tasks,
        "worst_timestamp_error_s": worst,
        "policy_features": _policy_features(dataset),
    }


def _import() -> Any:  # noqa: ANN401  a module of another environment
    declared = torch.library.Library("torchvision", "FRAGMENT")
    for operator in OPERATORS:
        try:
            declared.define(operator.removeprefix("torchvision::"))
        except RuntimeError:  # a torchvision with its own operators
            continue
    from lerobot.datasets import lerobot_dataset

    # torchcodec fails where FFmpeg is not installed, and torchvision reads films no more.
    lerobot_dataset.decode_video_frames = decode
    _import.kept = declared  # type: ignore[attr-defined]  # or the declarations go with it
    return lerobot_dataset


def decode(path: Path, wanted: list[float], tolerance_s: float, _backend: str) -> torch.Tensor:
    """The frames at these times, (n, 3, h, w) in [0, 1]. Raises AssertionError where none is."""
    frames, found = _film(path), []
    for at in wanted:
        near = min(frames, key=lambda pts: abs(pts - at))
        if abs(near - at) > tolerance_s:
            raise AssertionError(f"{path}: no frame at {at} s, the nearest is at {near} s")
        found.append(torch.from_numpy(frames[near]))
    return torch.stack(found).permute(0, 3, 1, 2).float() / 255


@functools.lru_cache(maxsize=8)
def _film(path: Path) -> dict[float, np.ndarray]:
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        return {
            float(frame.pts * Fraction(stream.time_base)): frame.to_ndarray(format="rgb24")
            for frame in film.decode(stream)
        }


def _check_statistics(root: Path) -> None:
    """Raise AssertionError unless lerobot's own sum over the episodes is meta/stats.json."""
    from lerobot.datasets.compute_stats import aggregate_stats

    each = []
    for row in pq.read_table(next(root.glob("meta/episodes/*/*.parquet"))).to_pylist():
        stats: dict[str, dict[str, np.ndarray]] = {}
        for key, value in row.items():
            if key.startswith("stats/"):
                _, feature, name = key.split("/")
                stats.setdefault(feature, {})[name] = np.asarray(value)
        each.append(stats)
    merged = aggregate_stats(each)
    whole = json.loads((root / "meta" / "stats.json").read_text())
    _same("features with statistics", sorted(merged), sorted(whole))
    for feature, stats in merged.items():
        for name, value in stats.items():
            np.testing.assert_allclose(
                value, whole[feature][name], rtol=1e-6, atol=1e-9, err_msg=f"{feature} {name}"
            )


def _policy_features(dataset: Any) -> dict[str, str]:  # noqa: ANN401  lerobot's own
    from lerobot.datasets.utils import dataset_to_policy_features

    found = dataset_to_policy_features(dataset.meta.features)
    return {key: f"{each.type.name} {tuple(each.shape)}" for key, each in found.items()}


def _rows(path: Path) -> list[dict[str, Any]]:
    return list(pq.read_table(path).to_pylist())


def _floats(row: dict[str, Any], name: str) -> list[float]:
    return list(np.float32(row[f"observation.{name}"]).tolist())


def _same(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise AssertionError(f"{what}: want {wanted}, found {found}")


if __name__ == "__main__":
    main()
