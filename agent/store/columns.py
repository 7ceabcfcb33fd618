"""Single arrays and pictures of one episode: what is damaged is named, and the rest is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from agent.episode import Uint8Array
from agent.errors import DataError
from agent.store.arrays import DIMENSIONS, check_sizes, image_name, read_array
from agent.store.layout import OPTIONAL
from agent.store.record import DATA, EpisodeRecord


def read_columns(
    folder: Path, record: EpisodeRecord
) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, str]]:
    """All arrays but images that can be read, and why each other one cannot. folder: its own."""
    values: dict[str, NDArray[Any]] = {}
    wrong: dict[str, str] = {}
    for name in DIMENSIONS:
        if name in OPTIONAL and f"{name}/zarr.json" not in record.files:
            continue
        try:
            values[name] = read_array(_sound(folder, record, name), name)
        except DataError as error:
            wrong[name] = str(error)
    return values, wrong


def read_pictures(
    folder: Path, record: EpisodeRecord, camera: str, start: int, stop: int
) -> Uint8Array:
    """Views `start` up to `stop` of a camera, (views, h, w, 3). Raises DataError for damage.

    Only the chunks that hold them are read.
    """
    name = image_name(camera)
    array = _sound(folder, record, name)
    try:
        return np.asarray(array[start:stop], np.uint8)
    except (ValueError, RuntimeError, OSError, MemoryError, TypeError) as error:
        raise DataError(f"array {name}: cannot be decoded: {error}; it is damaged") from error


def _sound(folder: Path, record: EpisodeRecord, name: str) -> zarr.Array[Any]:
    """An array whose files are all there at their size. Raises DataError."""
    if f"{name}/zarr.json" not in record.files:
        raise DataError(f"array {name}: not recorded in this episode")
    for path, what in _lacking(folder, record, name):
        # Zarr takes a missing file for zeros.
        raise DataError(f"array {name}: {path} {what}; its values are lost")
    try:
        array = zarr.open_array(folder / DATA / name, mode="r")
    except (KeyError, ValueError, TypeError, OSError) as error:
        raise DataError(f"array {name}: missing or torn ({error})") from error
    check_sizes(folder, [array])
    return array


def _lacking(folder: Path, record: EpisodeRecord, name: str) -> Iterator[tuple[str, str]]:
    for path, wanted in record.files.items():
        if path.startswith(f"{name}/"):
            try:
                size = (folder / DATA / path).stat().st_size
            except OSError:
                yield path, "is missing"
            else:
                if size != wanted.size:
                    yield path, f"has {size} bytes, want {wanted.size}"
