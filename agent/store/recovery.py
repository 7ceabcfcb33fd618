"""Start-up: what was whole is committed, what broke off is saved, what is unreadable set aside."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.durable import (
    make_folder,
    move_folder,
    remove_folder,
    storage_errors,
    write_bytes,
)
from agent.episode import Ending, Observation, Step, Task
from agent.errors import DataError
from agent.store.arrays import CHUNK, ChunkEncoder, chunk_path, decode_chunk
from agent.store.commit import Whole, write_episode
from agent.store.folders import LOG, RING, SALVAGE, Folders
from agent.store.hashes import FileHash
from agent.store.layout import Layout
from agent.store.names import ids_in
from agent.store.opening import Opening
from agent.store.quarantine import set_aside
from agent.store.record import DATA, read_record
from agent.store.ring import images_crc, read_slot
from agent.store.schema import NewerSchema
from agent.store.steplog import Logged, decode_end, decode_step, frames_crc, read_log
from agent.store.verify import check_files

log = logging.getLogger(__name__)

ALREADY = "is in staging though an episode of this id is sealed; somebody copied one of them"
_Images = dict[str, NDArray[np.uint8]]


def recover(folders: Folders) -> None:
    """Bring a run folder that its writer left in any state into order. Safe to die in.

    Raises StorageError when the disk cannot keep what it must.
    """
    for leftover in folders.leftovers():
        remove_folder(leftover)
    for episode_id in ids_in(folders.staging):
        if is_twin(folders, episode_id):
            remove_folder(folders.staging / episode_id)
        elif (folders.episodes / episode_id).is_dir():
            set_aside(folders, folders.staging / episode_id, [ALREADY])
        elif _is_complete(folders.staging / episode_id):
            move_folder(folders.staging / episode_id, folders.episodes / episode_id)
            log.warning("episode %s was complete and is committed now", episode_id)
        else:
            salvage(folders, episode_id, "the process died")
    for episode_id in ids_in(folders.episodes):
        _set_aside_if_torn(folders, episode_id)


def salvage(folders: Folders, episode_id: str, why: str) -> None:
    """Save the unbroken beginning of a staged episode as interrupted. Safe to die in.

    Raises StorageError when the disk cannot keep it; the staged episode is then still there.
    """
    if (folders.episodes / episode_id).is_dir():  # committed, though its last sync failed
        return
    staged, target = folders.staging / episode_id, folders.interrupted / episode_id
    if not target.is_dir():
        scratch = folders.staging / f"{episode_id}{SALVAGE}"
        remove_folder(scratch)
        make_folder(scratch)
        whole = _beginning(staged, read_log(staged / LOG), episode_id, why)
        write_episode(scratch, whole, _write_chunks(scratch / DATA, whole))
        move_folder(scratch, target)
        log.warning("episode %s broke off (%s): %d steps saved", episode_id, why, len(whole.steps))
    remove_folder(staged)


def is_twin(folders: Folders, episode_id: str) -> bool:
    """Whether a staged episode is one that is sealed and sound.

    After a power cut a disk may know the renamed folder by its old name as well.
    """
    twins = folders.staging / episode_id, folders.episodes / episode_id
    try:
        ours, theirs = (read_record(twin) for twin in twins)
    except DataError:
        return False
    return ours == theirs and not any(check_files(twins[1], theirs))


def clear_scraps(folder: Path) -> None:
    """Remove log and ring of a committed episode. Raises StorageError."""
    for name in (LOG, RING):
        with storage_errors(folder / name, "removing"):
            (folder / name).unlink(missing_ok=True)


def _beginning(staged: Path, logged: Logged, episode_id: str, why: str) -> Whole:
    """All steps up to the first whose record or images are lost."""
    opening = _opening(logged, episode_id)
    layout = logged.layout
    if layout is None:
        return Whole(opening, None, (), why=why)
    views = _views(staged, layout, logged)
    steps: list[Step] = []
    last: Observation | None = None
    ending: Ending | None = None
    for payload in logged.steps:
        images = next(views, None)
        if images is None:
            return Whole(opening, layout, steps, why=why)
        steps.append(decode_step(payload, layout, opening.adapter, images))
    if logged.end is not None and (images := next(views, None)) is not None:
        last, ending = decode_end(logged.end, layout, images)
    return Whole(opening, layout, steps, last, ending, why=why)


def _opening(logged: Logged, episode_id: str) -> Opening:
    try:
        return Opening.from_json(logged.begin)
    except (KeyError, TypeError):  # died before the first record was whole
        return Opening(episode_id, Task("", "", 0, 0), "", 0.0, "")


def _views(staged: Path, layout: Layout, logged: Logged) -> Iterator[_Images]:
    """The images of each view in turn, from a chunk or the ring, up to the first lost one."""
    crcs = [frames_crc(payload, last=False) for payload in logged.steps]
    if logged.end is not None:
        crcs.append(frames_crc(logged.end, last=True))
    chunk: dict[str, NDArray[np.uint8]] = {}
    for index, crc in enumerate(crcs):
        if index % CHUNK == 0:
            chunk = _read_chunk(staged / DATA, layout, index)
        images: _Images | None = {name: frames[index % CHUNK] for name, frames in chunk.items()}
        if not chunk or images_crc(images or {}, layout) != crc:
            images = read_slot(staged / RING, layout, index)
        if images is None or images_crc(images, layout) != crc:
            return
        yield images


def _read_chunk(data: Path, layout: Layout, start: int) -> _Images:
    """Ten views of every camera; empty unless all are there and sound."""
    chunk = {}
    for camera in layout.cameras:
        path = data / chunk_path(camera, start)
        if not path.is_file():
            return {}
        try:
            chunk[camera] = decode_chunk(layout, camera, start, path.read_bytes())
        except DataError as error:
            log.warning("%s: %s", path, error)
            return {}
    return chunk


def _write_chunks(data: Path, whole: Whole) -> dict[str, FileHash]:
    if whole.layout is None:
        return {}
    views = [step.observation for step in whole.steps]
    views += [] if whole.last is None else [whole.last]
    encoder, files = ChunkEncoder(whole.layout), {}
    for camera in whole.layout.cameras:
        make_folder(data / "images" / camera)
        for start in range(0, len(views), CHUNK):
            frames = np.stack([view.images[camera] for view in views[start : start + CHUNK]])
            path, encoded = encoder.encode(camera, start, frames)
            write_bytes(data / path, encoded)
            files[path] = FileHash.of(encoded)
    return files


def _is_complete(staged: Path) -> bool:
    try:
        return read_record(staged).status == "complete"
    except DataError:
        return False


def _set_aside_if_torn(folders: Folders, episode_id: str) -> None:
    folder = folders.episodes / episode_id
    clear_scraps(folder)  # left by a death between commit and clearing
    try:
        read_record(folder)
    except NewerSchema as error:
        log.warning("%s", error)  # not broken: left for the program that can read it
    except DataError as error:
        set_aside(folders, folder, [str(error)])
