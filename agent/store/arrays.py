"""An episode as named, checked, compressed Zarr v3 arrays, and back."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.core.buffer.cpu import Buffer
from zarr.storage import MemoryStore

from agent.episode import Decision, Float32Array, Limit, Observation, Step, Times
from agent.errors import DataError
from agent.store.layout import AXES, JUDGED, OPTIONAL, Layout, action_rows, row_actions
from agent.store.packing import ZSTD, codec_of, compressors

CHUNK = 10  # views in one chunk of images
LARGEST_BYTES = 8 << 30  # of one episode in memory; a file that claims more is refused

# Every array but the images, with its dimensions; images/<camera> is (view, h, w, 3) uint8.
DIMENSIONS: Mapping[str, tuple[str, ...]] = {
    "proprio": ("view", "joint"),
    "privileged": ("view", "fact"),
    "time_s": ("view",),
    "temperature": ("decision",),
    "tokens": ("decision", "token"),
    "log_probs": ("decision", "token"),
    "requested": ("decision", "action", "axis"),
    "executed": ("decision", "action"),
    "applied": ("decision", "action", "axis"),
    "applied_count": ("decision",),
    "track": ("decision", "action", "joint"),
    "decided_s": ("decision",),
    "sent_s": ("decision",),
    "applied_s": ("decision",),
    "limits": ("decision",),
    "by_hand": ("decision",),
    "progress": ("view",),
    "success": ("view",),
    "uncertainty": ("view",),
}
_TIMES = ("decided_s", "sent_s", "applied_s")
_EVERY_ARRAY: Mapping[str, Any] = {
    "fill_value": 0,
    "chunk_key_encoding": {"name": "default", "separator": "."},
    "config": {"write_empty_chunks": True},
}


class ChunkEncoder:
    """Encodes images ten views at a time, as the arrays of `encode_group` will read them."""

    def __init__(self, layout: Layout) -> None:
        self._files: dict[str, Any] = {}
        group = zarr.create_group(MemoryStore(self._files))
        many = 1_000_000  # views; the true number is set when the episode ends
        self._arrays = {name: create_images(group, layout, name, many) for name in layout.cameras}

    def encode(self, camera: str, start: int, frames: NDArray[np.uint8]) -> tuple[str, bytes]:
        """Encode views `start` .. on, at most one chunk; returns its path and its bytes."""
        self._arrays[camera][start : start + len(frames)] = frames
        path = chunk_path(camera, start)
        data: bytes = self._files.pop(path).to_bytes()
        return path, data


def decode_chunk(layout: Layout, camera: str, start: int, data: bytes) -> NDArray[np.uint8]:
    """Undo `ChunkEncoder.encode`; a whole chunk comes back. Raises DataError."""
    files: dict[str, Any] = {}
    group = zarr.create_group(MemoryStore(files))
    array = create_images(group, layout, camera, start + CHUNK)
    path = chunk_path(camera, start)
    files[path] = Buffer.from_bytes(data)
    return np.asarray(read_array(array, path)[start:])


def encode_group(
    layout: Layout,
    steps: Sequence[Step],
    last: Observation | None,
    judged: Mapping[str, Float32Array],
    attributes: Mapping[str, Any],
) -> dict[str, bytes]:
    """Encode all but the image chunks; returns paths within the group and their bytes.

    Without `last` the episode broke off: there is one view a decision and no more.
    judged: the judge's (views,) arrays by the names in JUDGED; an empty one is left out.
    """
    files: dict[str, Any] = {}
    group = zarr.create_group(MemoryStore(files), attributes=dict(attributes))
    views = len(steps) + (last is not None)
    for name, values in _fields(layout, steps, last, judged):
        array = _create(group, name, values.shape, values.dtype.type)
        if values.size:
            array[...] = values
    for camera in layout.cameras:
        create_images(group, layout, camera, views)
    return {path: data.to_bytes() for path, data in files.items()}


def decode_group(
    folder: Path, layout: Layout, adapter: str
) -> tuple[tuple[Step, ...], Observation, Mapping[str, Float32Array]]:
    """Read steps, last view and JUDGED arrays, exact to the bit. Raises DataError for damage."""
    group = zarr.open_group(folder, mode="r")
    names = [name for name in DIMENSIONS if name not in OPTIONAL or name in group]
    arrays = {name: _array(group, name) for name in names}
    images = {name: _array(group, image_name(name)) for name in layout.cameras}
    check_sizes(folder, [*arrays.values(), *images.values()])
    _check_shapes(layout, arrays, images)
    values = {name: read_array(array, name) for name, array in arrays.items()}
    frames = {name: read_array(array, image_name(name)) for name, array in images.items()}
    views = [
        Observation(
            {name: frames[name][index] for name in layout.cameras},
            values["proprio"][index],
            layout.instruction,
            float(values["time_s"][index]),
            values["privileged"][index],
        )
        for index in range(len(values["time_s"]))
    ]
    steps = tuple(_step(values, index, view, adapter) for index, view in enumerate(views[:-1]))
    return steps, views[-1], {name: values[name] for name in JUDGED if name in values}


def create_images(
    group: zarr.Group, layout: Layout, camera: str, views: int, shard: int | None = None
) -> zarr.Array[Any]:
    """An array of pictures in checked chunks of ten. shard: views in one file, where many are."""
    h, w = layout.cameras[camera]
    return group.create_array(
        image_name(camera),
        shape=(views, h, w, 3),
        chunks=(CHUNK, max(1, h), max(1, w), 3),
        shards=None if shard is None else (shard, max(1, h), max(1, w), 3),
        dtype=np.uint8,
        compressors=compressors(codec_of(layout.codecs, camera)),
        dimension_names=("view", f"{camera}_y", f"{camera}_x", "rgb"),
        **_EVERY_ARRAY,
    )


def read_array(array: zarr.Array[Any], name: str) -> NDArray[Any]:
    """All of an array; what cannot be decoded is a DataError."""
    try:
        return np.asarray(array[...])
    except (ValueError, RuntimeError, OSError, MemoryError, TypeError) as error:
        raise DataError(f"array {name}: cannot be decoded: {error}; it is damaged") from error


def check_sizes(where: Path, arrays: Sequence[zarr.Array[Any]]) -> None:
    """Raise DataError when the arrays claim more memory than an episode can need."""
    claimed = sum(array.nbytes for array in arrays)
    chunk = max((_chunk_bytes(array) for array in arrays), default=0)
    if claimed > LARGEST_BYTES or chunk > LARGEST_BYTES:
        raise DataError(
            f"{where} claims {max(claimed, chunk)} bytes, the limit is {LARGEST_BYTES}; "
            "it was not recorded by this program"
        )


def image_name(camera: str) -> str:
    """The array that holds a camera's images."""
    return f"images/{camera}"


def chunk_path(camera: str, start: int) -> str:
    """The file, within the group, of the images from view `start`."""
    return f"{image_name(camera)}/c.{start // CHUNK}.0.0.0"


def _fields(
    layout: Layout,
    steps: Sequence[Step],
    last: Observation | None,
    judged: Mapping[str, Float32Array],
) -> Iterator[tuple[str, NDArray[Any]]]:
    n, k, p = len(steps), layout.actions, layout.proprio
    views = [step.observation for step in steps] + ([] if last is None else [last])
    applied = np.full((n, k, AXES), np.nan)
    track = np.full((n, k, p), np.nan, np.float32)
    for index, step in enumerate(steps):
        applied[index, : len(step.applied)] = action_rows(step.applied)
        track[index, : len(step.applied)] = step.track
    decisions = [step.decision for step in steps]
    yield "proprio", _stack([view.proprio for view in views], (p,), np.float32)
    facts = [view.privileged for view in views]
    yield "privileged", _stack(facts, (layout.privileged,), np.float32)
    yield "time_s", np.array([view.time_s for view in views], np.float64)
    yield "temperature", np.array([decision.temperature for decision in decisions], np.float64)
    yield "tokens", _stack([decision.tokens for decision in decisions], (layout.tokens,), np.int16)
    log_probs = [decision.log_probs for decision in decisions]
    yield "log_probs", _stack(log_probs, (layout.tokens,), np.float32)
    requested = [action_rows(decision.actions) for decision in decisions]
    yield "requested", _stack(requested, (k, AXES), np.float64)
    yield "executed", _stack([step.executed for step in steps], (k,), np.bool_)
    yield "applied", applied
    yield "applied_count", np.array([len(step.applied) for step in steps], np.int32)
    yield "track", track
    yield "decided_s", np.array([step.times.decided_s for step in steps], np.float64)
    yield "sent_s", np.array([step.times.sent_s for step in steps], np.float64)
    yield "applied_s", np.array([step.times.applied_s for step in steps], np.float64)
    yield "limits", np.array([step.limits for step in steps], np.uint16)
    yield "by_hand", np.array([step.by_hand for step in steps], np.bool_)
    for name in JUDGED:
        if name in judged and len(judged[name]):
            yield name, judged[name]


def _step(values: Mapping[str, NDArray[Any]], index: int, view: Observation, adapter: str) -> Step:
    taken = int(values["applied_count"][index])
    decision = Decision(
        actions=row_actions(values["requested"][index]),
        tokens=values["tokens"][index],
        log_probs=values["log_probs"][index],
        adapter=adapter,
        temperature=float(values["temperature"][index]),
    )
    return Step(
        observation=view,
        decision=decision,
        applied=row_actions(values["applied"][index, :taken]),
        executed=values["executed"][index],
        track=values["track"][index, :taken],
        times=Times(*(float(values[name][index]) for name in _TIMES)),
        limits=Limit(int(values["limits"][index])),
        by_hand=bool(values["by_hand"][index]),
    )


def _create(group: zarr.Group, name: str, shape: tuple[int, ...], dtype: type) -> zarr.Array[Any]:
    """An array in one checked chunk."""
    return group.create_array(
        name,
        shape=shape,
        chunks=tuple(max(1, side) for side in shape),
        dtype=dtype,
        compressors=compressors(ZSTD),
        dimension_names=DIMENSIONS[name],
        **_EVERY_ARRAY,
    )


def _array(group: zarr.Group, name: str) -> zarr.Array[Any]:
    try:
        found = group[name]
    except (KeyError, ValueError, TypeError, OSError) as error:
        raise DataError(f"array {name}: missing or torn ({error})") from error
    if not isinstance(found, zarr.Array):
        raise DataError(f"array {name}: want an array, found a group")
    return found


def _check_shapes(
    layout: Layout,
    arrays: Mapping[str, zarr.Array[Any]],
    images: Mapping[str, zarr.Array[Any]],
) -> None:
    n, k, p, d = arrays["tokens"].shape[0], layout.actions, layout.proprio, layout.tokens
    wanted = {
        "proprio": (n + 1, p), "privileged": (n + 1, layout.privileged), "time_s": (n + 1,),
        "temperature": (n,), "tokens": (n, d),
        "log_probs": (n, d), "requested": (n, k, AXES), "executed": (n, k),
        "applied": (n, k, AXES), "applied_count": (n,), "track": (n, k, p),
        **dict.fromkeys(JUDGED, (n + 1,)),
        **dict.fromkeys((*_TIMES, "limits", "by_hand"), (n,)),
    }  # fmt: skip
    found = {name: array.shape for name, array in arrays.items()}
    for camera, (h, w) in layout.cameras.items():
        wanted[image_name(camera)] = (n + 1, h, w, 3)
        found[image_name(camera)] = images[camera].shape
    for name, shape in wanted.items():
        if found.get(name, shape) != shape:
            raise DataError(f"array {name}: want shape {shape}, found {found[name]}")


def _chunk_bytes(array: zarr.Array[Any]) -> int:
    """Bytes of the largest piece that a reader must hold at once: a chunk, or a whole shard."""
    return math.prod(array.shards or array.chunks) * int(array.dtype.itemsize)


def _stack(rows: Sequence[NDArray[Any]], shape: tuple[int, ...], dtype: type) -> NDArray[Any]:
    return np.stack(rows) if rows else np.empty((0, *shape), dtype)
