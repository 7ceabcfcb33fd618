"""What a frame of a LeRobot dataset holds, by name, type and shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from agent.export.rows import AXES, Rows

IMAGES = "observation.images"
ARROW = {
    "float32": pa.float32(),
    "float64": pa.float64(),
    "int64": pa.int64(),
    "bool": pa.bool_(),
}
# Beyond what every LeRobot dataset has. None may begin with `action` or `observation`: those
# prefixes make a column part of what a policy is trained on.
_OURS = {
    "requested_action": ("float32", (7,), AXES),
    "executed": ("bool", (1,), None),
    "limits": ("int64", (1,), None),
    "by_hand": ("bool", (1,), None),
    "view_fresh": ("bool", (1,), None),
    "view_time_s": ("float64", (1,), None),
    "judged_progress": ("float32", (1,), None),
    "next.reward": ("float32", (1,), None),
    "next.done": ("bool", (1,), None),
    "next.success": ("bool", (1,), None),
}
_EVERY = {
    "timestamp": ("float32", (1,), None),
    "frame_index": ("int64", (1,), None),
    "episode_index": ("int64", (1,), None),
    "index": ("int64", (1,), None),
    "task_index": ("int64", (1,), None),
}


def features(
    cameras: Mapping[str, Sequence[int]],
    state: int,
    proprio: Sequence[str],
    fps: float,
    codec: str,
) -> dict[str, Any]:
    """The `features` of info.json. cameras: name to (h, w, 3). state: numbers of proprioception."""
    names = list(proprio) if len(proprio) == state else [f"p{i}" for i in range(state)]
    found: dict[str, Any] = {
        f"{IMAGES}.{camera}": {
            "dtype": "video",
            "shape": list(shape),
            "names": ["height", "width", "channels"],
            "info": {
                "video.height": shape[0],
                "video.width": shape[1],
                "video.codec": "h264" if codec == "libx264" else codec,
                "video.pix_fmt": "yuv420p",
                "video.is_depth_map": False,
                "video.fps": fps,
                "video.channels": 3,
                "has_audio": False,
            },
        }
        for camera, shape in cameras.items()
    }
    vectors = {
        "observation.state": ("float32", (state,), names),
        "action": ("float32", (7,), AXES),
        **_OURS,
        **_EVERY,
    }
    for name, (dtype, shape, labels) in vectors.items():
        found[name] = {
            "dtype": dtype,
            "shape": list(shape),
            "names": None if labels is None else list(labels),
        }
    return found


def columns(rows: Rows, fps: float, episode: int, start: int, task: int) -> dict[str, NDArray[Any]]:
    """One array a feature but the images, in the order of `features`; start: frames before."""
    n = len(rows)
    frame = np.arange(n)
    last = frame == n - 1
    return {
        "observation.state": rows.state,
        "action": rows.applied,
        "requested_action": rows.requested,
        "executed": rows.executed,
        "limits": rows.limits,
        "by_hand": rows.by_hand,
        "view_fresh": rows.fresh,
        "view_time_s": rows.view_s,
        "judged_progress": rows.progress,
        "next.reward": (last & rows.success).astype(np.float32),
        "next.done": last,
        "next.success": last & rows.success,
        "timestamp": (frame / fps).astype(np.float32),
        "frame_index": frame,
        "episode_index": np.full(n, episode),
        "index": start + frame,
        "task_index": np.full(n, task),
    }
