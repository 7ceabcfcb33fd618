"""Format `lerobot`: a LeRobotDataset v3 folder, one data file and one film a camera an episode."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from agent.episode import ScoredEpisode
from agent.errors import DataError
from agent.export import film, lerobot_meta
from agent.export.lerobot_features import ARROW, IMAGES, columns, features
from agent.export.lerobot_stats import image_stats, vector_stats
from agent.export.part import Part, Receipt
from agent.export.rows import rows_of, views
from agent.store.summary import Summary

PER_CHUNK = 1000  # files a folder


class LeRobot:
    """One frame a control step at the robot's own rate; a view is held until the next one.

    Files stay far below the format's size limits, so that an episode is whole or absent.
    """

    name = "lerobot"

    def __init__(self, fps: float, robot: str, proprio: Sequence[str]) -> None:
        # Readers expect a whole number wherever the rate is one.
        self._fps = int(fps) if float(fps).is_integer() else fps
        self._robot = robot
        self._proprio = tuple(proprio)

    @property
    def options(self) -> Mapping[str, Any]:
        """Everything that shapes the files."""
        return {
            "fps": self._fps,
            "robot": self._robot,
            "proprio": list(self._proprio),
            "codec": film.codec(),
        }

    def part(self, scored: ScoredEpisode, row: Summary, before: Sequence[Receipt]) -> Part:
        """Data and films of one episode; its statistics and place among the others as facts."""
        rows = rows_of(scored)
        index = len(before)
        shapes = {
            name: list(film.even(image).shape)
            for name, image in scored.episode.steps[0].observation.images.items()
        }
        described = features(shapes, rows.state.shape[1], self._proprio, self._fps, film.codec())
        if before and before[0].facts["features"] != described:
            raise DataError(
                f"episode {row.id} has other cameras or numbers than {before[0].episode}; a "
                "LeRobot dataset holds one kind: choose with --episodes and export the rest apart"
            )
        tasks = list(dict.fromkeys([*(r.facts["task"] for r in before), row.instruction]))
        start = sum(receipt.facts["length"] for receipt in before)
        data = columns(rows, self._fps, index, start, tasks.index(row.instruction))
        place = f"chunk-{index // PER_CHUNK:03d}/file-{index % PER_CHUNK:03d}"
        files = {f"data/{place}.parquet": _parquet(data, described)}
        stats = {name: vector_stats(values) for name, values in data.items()}
        for camera in shapes:
            key = f"{IMAGES}.{camera}"
            files[f"videos/{key}/{place}.mp4"] = film.encode(views(scored, camera), self._fps)
            stats[key] = image_stats(views(scored, camera))
        facts = {
            "index": index,
            "length": len(rows),
            "from": start,
            "task": row.instruction,
            "features": described,
            "stats": stats,
            "episode": {
                key: row.to_json()[key]
                for key in ("task", "start", "seed", "adapter", "ending", "verdict", "began")
            },
        }
        return Part(files, facts)

    def closing(self, receipts: Sequence[Receipt]) -> Mapping[str, bytes]:
        """Everything under meta/; info.json last, for without it there is no dataset."""
        return lerobot_meta.files(receipts, self._fps, self._robot, PER_CHUNK)


def _parquet(data: Mapping[str, Any], described: Mapping[str, Any]) -> bytes:
    arrays = {}
    for name, values in data.items():
        kind = ARROW[described[name]["dtype"]]
        if values.ndim == 1:
            arrays[name] = pa.array(values, kind)
        else:
            flat = pa.array(values.reshape(-1), kind)
            arrays[name] = pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
    buffer = io.BytesIO()
    pq.write_table(pa.table(arrays), buffer, compression="snappy")
    return buffer.getvalue()
