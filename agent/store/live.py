"""Pictures of the episode that is being written, read beside its writer."""

from __future__ import annotations

from pathlib import Path

from agent.episode import Uint8Array
from agent.errors import DataError
from agent.store.arrays import CHUNK, chunk_path, decode_chunk
from agent.store.folders import LOG, RING
from agent.store.layout import Layout
from agent.store.record import DATA
from agent.store.ring import images_crc, read_slot
from agent.store.steplog import frames_crc, read_log


def live_layout(staged: Path) -> Layout | None:
    """What every view of a running episode has in common; None before the first."""
    return read_log(staged / LOG).layout


def live_pictures(staged: Path, view: int) -> dict[str, Uint8Array]:
    """One view's image of every camera, from the ring or from its chunk.

    Each is held against the checksum that the step's record gives, for the writer goes on writing
    the while. Raises DataError where the view is not there, or no longer or not yet whole.
    """
    logged = read_log(staged / LOG)
    if logged.layout is None or not 0 <= view < len(logged.steps):
        raise DataError(f"episode {staged.name} has no view {view} yet")
    layout, wanted = logged.layout, frames_crc(logged.steps[view], last=False)
    for read in (read_slot(staged / RING, layout, view), _from_chunk(staged, layout, view)):
        if read is not None and images_crc(read, layout) == wanted:
            return read
    raise DataError(f"episode {staged.name}: view {view} is between ring and chunk; look again")


def _from_chunk(staged: Path, layout: Layout, view: int) -> dict[str, Uint8Array] | None:
    start = view - view % CHUNK
    try:
        return {
            camera: decode_chunk(
                layout, camera, start, (staged / DATA / chunk_path(camera, start)).read_bytes()
            )[view % CHUNK]
            for camera in layout.cameras
        }
    except (OSError, IndexError):  # not on disk yet
        return None
