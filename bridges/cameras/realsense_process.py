"""The process that owns a RealSense camera: frames go to shared memory, their times to a pipe.

pyrealsense2 beside rclpy in one process depends on who was imported first; here it is alone.
"""

from __future__ import annotations

import ctypes
import logging
import signal
import zlib
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import numpy as np

from agent.clock import now_s

log = logging.getLogger(__name__)

SLOTS = 4  # a reader copies a frame long before three more have come
COLOUR_BYTES, DEPTH_BYTES = 3, 4  # a pixel: rgb8, float32 m
WIDTH_PX, HEIGHT_PX, RATE_HZ = 640, 480, 30
_FRAME_MS = 1000


@dataclass(frozen=True, slots=True)
class Size:
    """Pixels of the frames to come; the reader answers with the name of its shared memory."""

    height: int
    width: int

    @property
    def slot_bytes(self) -> int:
        """Colour and then depth of one frame."""
        return self.height * self.width * (COLOUR_BYTES + DEPTH_BYTES)


@dataclass(frozen=True, slots=True)
class Taken:
    """A frame lies in a slot. captured_s: monotonic, when it had come over the cable."""

    slot: int
    captured_s: float
    checksum: int


@dataclass(frozen=True, slots=True)
class Ended:
    """No more frames, and why."""

    why: str


def run(source: str, pipe: Connection) -> None:
    """Take frames until the pipe is closed or the camera ends; say why it ended."""
    # Ctrl-C is the parent's to answer; it closes the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        why = _take(source, pipe)
    except (RuntimeError, ImportError, OSError) as error:
        why = str(error)
    try:
        pipe.send(Ended(why))
    except OSError:
        log.debug("nobody is there to hear that the camera ended: %s", why)


def load_library() -> Any:  # noqa: ANN401  pyrealsense2 has no types
    """pyrealsense2, with the USB library it needs. Raises ImportError saying what to install."""
    try:
        import libusb_package

        ctypes.CDLL(str(libusb_package.get_library_path()), mode=ctypes.RTLD_GLOBAL)
    except (ImportError, OSError):
        log.debug("the system's own libusb is used")
    try:
        import pyrealsense2
    except ImportError as error:
        raise ImportError(
            f"pyrealsense2 cannot be imported ({error}): pip install 'vlarl-agent[realsense]', "
            "or apt install libusb-1.0-0"
        ) from error
    return pyrealsense2


def aligned(frames: Any, align: Any) -> tuple[np.ndarray, np.ndarray] | None:  # noqa: ANN401
    """Colour (h, w, 3) and the depth (h, w) float32 m seen by the same pixels, or None.

    frames: a frameset; None where it lacks one of both. align: rs.align to the colour stream.
    Depth is 0 where nothing was measured.
    """
    both = align.process(frames)
    colour, depth = both.get_color_frame(), both.get_depth_frame()
    if not colour or not depth:
        return None
    metres = np.asanyarray(depth.get_data()).astype(np.float32) * np.float32(depth.get_units())
    return np.asanyarray(colour.get_data()), metres


def _take(source: str, pipe: Connection) -> str:
    rs = load_library()
    pipeline, align = rs.pipeline(), rs.align(rs.stream.color)
    pipeline.start(_config(rs, source))
    memory: SharedMemory | None = None
    count = 0
    try:
        while not pipe.poll():
            came, frames = pipeline.try_wait_for_frames(_FRAME_MS)
            captured_s = now_s()
            if not came:
                return f"no frame for {_FRAME_MS / 1000:.0f} s after {count}; is it unplugged?"
            pair = aligned(frames, align)
            if pair is None:
                continue
            if memory is None:
                memory = _asked_for(Size(*pair[0].shape[:2]), pipe)
            slot = count % SLOTS
            _write(memory, slot, *pair)
            pipe.send(Taken(slot, captured_s, zlib.crc32(np.ascontiguousarray(pair[0]).data)))
            count += 1
        return "it was closed"
    finally:
        pipeline.stop()
        if memory is not None:
            memory.close()


def _config(rs: Any, source: str) -> Any:  # noqa: ANN401
    config = rs.config()
    if Path(source).suffix in {".db3", ".bag"}:
        config.enable_device_from_file(source, repeat_playback=False)
    else:
        # The pipeline itself waits fifteen seconds before it says that there is none.
        known = rs.camera_info.serial_number
        found = [each.get_info(known) for each in rs.context().query_devices()]
        if not found or source not in {"any", *found}:
            raise OSError(f"device {source} wanted, found {found or 'none'}; is it plugged in?")
        if source != "any":
            config.enable_device(source)
        config.enable_stream(rs.stream.color, WIDTH_PX, HEIGHT_PX, rs.format.rgb8, RATE_HZ)
        config.enable_stream(rs.stream.depth, WIDTH_PX, HEIGHT_PX, rs.format.z16, RATE_HZ)
    return config


def _asked_for(size: Size, pipe: Connection) -> SharedMemory:
    pipe.send(size)
    return SharedMemory(name=pipe.recv())


def _write(memory: SharedMemory, slot: int, colour: np.ndarray, depth: np.ndarray) -> None:
    into_colour, into_depth = views(memory, Size(*depth.shape), slot)
    into_colour[:] = colour
    into_depth[:] = depth


def views(memory: SharedMemory, size: Size, slot: int) -> tuple[np.ndarray, np.ndarray]:
    """A slot's colour (h, w, 3) and depth (h, w), as views into the memory."""
    start, pixels = slot * size.slot_bytes, size.height * size.width
    shape = (size.height, size.width)
    depth_at = start + pixels * COLOUR_BYTES
    return (
        np.ndarray((*shape, 3), np.uint8, memory.buf, start),
        np.ndarray(shape, np.float32, memory.buf, depth_at),
    )
