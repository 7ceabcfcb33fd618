"""The meta folder of a LeRobotDataset v3: tasks, episodes, statistics and info."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from agent.export.lerobot_stats import together
from agent.export.part import Receipt

VERSION = "v3.0"


def files(receipts: Sequence[Receipt], fps: float, robot: str, per_chunk: int) -> dict[str, bytes]:
    """Path to content, info.json last."""
    described = receipts[0].facts["features"]
    tasks = list(dict.fromkeys(receipt.facts["task"] for receipt in receipts))
    cameras = [name for name, feature in described.items() if feature["dtype"] == "video"]
    stats = {name: together([r.facts["stats"][name] for r in receipts]) for name in described}
    info = {
        "codebase_version": VERSION,
        "robot_type": robot,
        "total_episodes": len(receipts),
        "total_frames": sum(receipt.facts["length"] for receipt in receipts),
        "total_tasks": len(tasks),
        "chunks_size": per_chunk,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "fps": fps,
        "splits": {"train": f"0:{len(receipts)}"},
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
        "features": described,
    }
    rows = [_episode(receipt, cameras, fps, per_chunk) for receipt in receipts]
    return {
        "meta/tasks.parquet": _tasks(tasks),
        "meta/episodes/chunk-000/file-000.parquet": _table(pa.Table.from_pylist(rows)),
        "meta/stats.json": json.dumps(stats, indent=1).encode(),
        "meta/info.json": json.dumps(info, indent=1).encode(),
    }


def _episode(
    receipt: Receipt, cameras: Sequence[str], fps: float, per_chunk: int
) -> dict[str, Any]:
    facts = receipt.facts
    chunk, place = divmod(facts["index"], per_chunk)
    row: dict[str, Any] = {
        "episode_index": facts["index"],
        "tasks": [facts["task"]],
        "length": facts["length"],
        "data/chunk_index": chunk,
        "data/file_index": place,
        "dataset_from_index": facts["from"],
        "dataset_to_index": facts["from"] + facts["length"],
        "meta/episodes/chunk_index": 0,
        "meta/episodes/file_index": 0,
    }
    for key in cameras:
        row[f"videos/{key}/chunk_index"] = chunk
        row[f"videos/{key}/file_index"] = place
        row[f"videos/{key}/from_timestamp"] = 0.0
        row[f"videos/{key}/to_timestamp"] = facts["length"] / fps
    row["vlarl/id"] = receipt.episode
    row.update({f"vlarl/{key}": value for key, value in facts["episode"].items()})
    for name, stats in facts["stats"].items():
        row.update({f"stats/{name}/{key}": value for key, value in stats.items()})
    return row


def _tasks(tasks: Sequence[str]) -> bytes:
    """Tasks by number. The words are the index of a data frame, which readers ask for by name."""
    index = "__index_level_0__"
    column = {"field_name": index, "name": None, "metadata": None}
    number = {"field_name": "task_index", "name": "task_index", "metadata": None}
    frame = {
        "index_columns": [index],
        "column_indexes": [],
        "columns": [
            {**number, "pandas_type": "int64", "numpy_type": "int64"},
            {**column, "pandas_type": "unicode", "numpy_type": "object"},
        ],
        "pandas_version": "2.0.0",
    }
    table = pa.table(
        {"task_index": pa.array(range(len(tasks)), pa.int64()), index: pa.array(tasks, pa.string())}
    )
    return _table(table.replace_schema_metadata({"pandas": json.dumps(frame)}))


def _table(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="snappy")
    return buffer.getvalue()
