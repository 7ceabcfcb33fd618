"""Many small files of pictures into few large ones: Zarr shards, the same values to the bit."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.storage import MemoryStore

from agent.durable import exchange_folders, remove_folder, storage_errors
from agent.errors import DataError
from agent.store.arrays import CHUNK, check_sizes, create_images, image_name, read_array
from agent.store.commit import write_files
from agent.store.folders import COMPACT, Folders
from agent.store.hashes import FileHash
from agent.store.layout import Layout
from agent.store.names import ids_in
from agent.store.record import DATA, EpisodeRecord, read_record, write_record
from agent.store.verify import verify_episode

SHARD_BYTES = 256 << 20  # of pictures before packing; a reader of all holds as much at once


@dataclasses.dataclass(frozen=True, slots=True)
class Compacted:
    """What became of one episode; `why` says why it was left as it was."""

    episode: str
    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int
    why: str = ""


def compact(folders: Folders, *, dry_run: bool) -> Iterator[Compacted]:
    """Compact every sealed episode that has more files of pictures than it needs.

    For the run's one writer, who mends the manifest afterwards. Each episode changes in one
    atomic step, after its new form was read back and found equal; a death leaves the old form or
    the new one. Raises StorageError.
    """
    for name in ids_in(folders.episodes):
        folder = folders.episodes / name
        try:
            record = read_record(folder)
        except DataError as error:
            yield Compacted(name, 0, 0, 0, 0, str(error))
            continue
        if wanted(record):
            yield _planned(name, record) if dry_run else _compact(folders, name, record)


def wanted(record: EpisodeRecord) -> bool:
    """Whether some camera's pictures lie in more files than its shards would."""
    layout = record.layout
    return layout is not None and any(
        _count(record, camera) > _shards(record, layout, camera) for camera in layout.cameras
    )


def shard_views(layout: Layout, camera: str, views: int) -> int:
    """Views in one shard: all of them, in whole chunks, up to SHARD_BYTES."""
    h, w = layout.cameras[camera]
    whole = -(-max(views, 1) // CHUNK) * CHUNK
    most = SHARD_BYTES // max(1, 3 * h * w) // CHUNK * CHUNK
    return min(whole, max(CHUNK, most))


def _compact(folders: Folders, name: str, record: EpisodeRecord) -> Compacted:
    folder, scratch = folders.episodes / name, folders.staging / f"{name}{COMPACT}"
    if findings := verify_episode(folder):
        return Compacted(name, 0, 0, 0, 0, f"left as it is: {findings[0]}")
    remove_folder(scratch)
    files = dict(_rewritten(folder / DATA, record))
    write_files(scratch / DATA, files)
    hashes = {path: FileHash.of(data) for path, data in files.items()}
    size = sum(found.size for found in hashes.values())
    row = dataclasses.replace(record.summary, stored_bytes=size)
    fresh = dataclasses.replace(record, summary=row, files=hashes)
    write_record(scratch, fresh)
    _must_be_equal(folder / DATA, scratch / DATA)
    exchange_folders(scratch, folder)
    remove_folder(scratch)
    return _told(name, record, fresh)


def _rewritten(data: Path, record: EpisodeRecord) -> Iterator[tuple[str, bytes]]:
    """The files of the group with its pictures in shards; every other file as it is."""
    layout = record.layout
    if layout is None:
        raise DataError("want arrays, found none")
    pictures = tuple(f"{image_name(camera)}/" for camera in layout.cameras)
    for path in record.files:
        if not path.startswith(pictures):
            with storage_errors(data / path, "reading"):
                content = (data / path).read_bytes()
            yield path, content
    old = zarr.open_group(data, mode="r")
    for camera in layout.cameras:
        name = image_name(camera)
        frames = read_array(_array(old, name), name)
        files: dict[str, Any] = {}
        group = zarr.create_group(MemoryStore(files))
        shard = shard_views(layout, camera, len(frames))
        array = create_images(group, layout, camera, len(frames), shard)
        array[...] = frames
        for path, found in files.items():
            if path.startswith(f"{name}/"):
                yield path, found.to_bytes()


def _must_be_equal(old: Path, new: Path) -> None:
    """Raise DataError unless both groups hold the same, read as any Zarr program would."""
    one, other = zarr.open_group(old, mode="r"), zarr.open_group(new, mode="r")
    names = sorted(path.parent.relative_to(old).as_posix() for path in old.rglob("zarr.json"))
    found = sorted(path.parent.relative_to(new).as_posix() for path in new.rglob("zarr.json"))
    if names != found or dict(one.attrs) != dict(other.attrs):
        raise DataError(f"{old}: its compact form has other arrays or attributes; nothing changed")
    for name in names:
        if name == "." or isinstance(one[name], zarr.Group):
            continue
        a, b = _array(one, name), _array(other, name)
        check_sizes(new, [b])
        mine, theirs = read_array(a, name), read_array(b, name)
        same = (mine.dtype, mine.shape) == (theirs.dtype, theirs.shape)
        same = same and a.metadata.dimension_names == b.metadata.dimension_names  # type: ignore[union-attr]
        if not same or not np.array_equal(_bytes(mine), _bytes(theirs)):
            raise DataError(f"{old}: array {name} would change by compacting; nothing changed")


def _bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(values).reshape(-1).view(np.uint8)


def _array(group: zarr.Group, name: str) -> zarr.Array[Any]:
    found = group[name]
    if not isinstance(found, zarr.Array):
        raise DataError(f"array {name}: want an array, found a group")
    return found


def _count(record: EpisodeRecord, camera: str) -> int:
    return sum(path.startswith(f"{image_name(camera)}/c.") for path in record.files)


def _shards(record: EpisodeRecord, layout: Layout, camera: str) -> int:
    views = record.summary.decisions + 1
    return -(-views // shard_views(layout, camera, views))


def _planned(name: str, record: EpisodeRecord) -> Compacted:
    layout = record.layout
    cameras = () if layout is None else tuple(layout.cameras)
    fewer = sum(_count(record, each) for each in cameras)
    shards = 0 if layout is None else sum(_shards(record, layout, each) for each in cameras)
    size = sum(found.size for found in record.files.values())
    count = len(record.files)
    return Compacted(name, count, count - fewer + shards, size, size)


def _told(name: str, before: EpisodeRecord, after: EpisodeRecord) -> Compacted:
    sizes = [sum(found.size for found in each.files.values()) for each in (before, after)]
    return Compacted(name, len(before.files), len(after.files), sizes[0], sizes[1])
