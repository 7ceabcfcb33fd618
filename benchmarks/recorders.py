"""Five ways to record camera pictures and numbers at 20 Hz, behind one face.

Each keeps all that the store keeps of a step, pictures and numbers, in the way its own documents
show. They promise different things: only the first keeps every step from a kill.
"""

from __future__ import annotations

import json
import queue
import threading
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from agent.episode import RewardSignal, Step, Task, Truncated, Verdict
from agent.store.steplog import encode_step
from agent.store.zarr_store import ZarrStore
from benchmarks.drawn_episodes import INSTRUCTION


class Recorder(Protocol):
    """Keeps steps, then an ending. Made with the folder to write to."""

    def append(self, step: Step) -> None:
        """Keep a step."""
        ...

    def close(self, last: Step) -> None:
        """Keep the last view and finish everything."""
        ...


class OurStore:
    """The store of this project."""

    def __init__(self, folder: Path) -> None:
        self._store = ZarrStore(folder / "run")
        self._store.open()
        self._recording = self._store.begin(Task("t", INSTRUCTION, 0, 1), "base", 1.0)
        self._count = 0

    def append(self, step: Step) -> None:
        """Log and ring at once, chunks behind."""
        self._recording.append(step)
        self._count += 1

    def close(self, last: Step) -> None:
        """Finish, judge, seal."""
        self._recording.finish(last.observation, Truncated("timeout"))
        progress = np.zeros(self._count + 1, np.float32)
        self._recording.seal(RewardSignal(progress, 0.0, Verdict.UNKNOWN, "none"))
        self._store.close()


class ZarrAppend:
    """A Zarr array a camera, appended to at each step; ten views a chunk."""

    def __init__(self, folder: Path) -> None:
        import zarr

        self._group = zarr.open_group(folder / "data.zarr", mode="w")
        self._arrays: dict[str, Any] = {}

    def append(self, step: Step) -> None:
        """Resize and write."""
        images = {f"images/{name}": image for name, image in step.observation.images.items()}
        for name, value in {**images, "numbers": _numbers(step)}.items():
            if name not in self._arrays:
                self._arrays[name] = self._group.create_array(
                    name, shape=(0, *value.shape), chunks=(10, *value.shape), dtype=value.dtype
                )
            self._arrays[name].append(value[None])

    def close(self, last: Step) -> None:
        """Nothing is open."""
        self.append(last)


class Hdf5:
    """One file, one view a chunk, so that none is packed twice; gzip 1, flushed at each step."""

    def __init__(self, folder: Path) -> None:
        import h5py

        self._file = h5py.File(folder / "data.hdf5", "w")

    def append(self, step: Step) -> None:
        """Resize, write, flush."""
        for name, value in {**step.observation.images, "numbers": _numbers(step)}.items():
            if name not in self._file:
                packed = {"compression": "gzip", "compression_opts": 1} if value.ndim == 3 else {}
                self._file.create_dataset(
                    name, (0, *value.shape), value.dtype, maxshape=(None, *value.shape),
                    chunks=(1, *value.shape), **packed,
                )  # fmt: skip
            array = self._file[name]
            array.resize(len(array) + 1, axis=0)
            array[-1] = value
        self._file.flush()

    def close(self, last: Step) -> None:
        """Close the file."""
        self.append(last)
        self._file.close()


class Mcap:
    """Raw pictures and numbers as messages, in zstd chunks of 1 MiB, as the library's default."""

    def __init__(self, folder: Path) -> None:
        from mcap.writer import CompressionType, Writer

        self._stream = (folder / "data.mcap").open("wb")
        self._writer = Writer(self._stream, compression=CompressionType.ZSTD)
        self._writer.start()
        self._channels: dict[str, int] = {}

    def append(self, step: Step) -> None:
        """Write one message a camera and one of numbers."""
        at = int(step.observation.time_s * 1e9)
        images = {name: image.tobytes() for name, image in step.observation.images.items()}
        for name, value in {**images, "numbers": _numbers(step).tobytes()}.items():
            if name not in self._channels:
                self._channels[name] = self._writer.register_channel(name, "raw", 0)
            self._writer.add_message(self._channels[name], at, value, at)

    def close(self, last: Step) -> None:
        """Write the index."""
        self.append(last)
        self._writer.finish()
        self._stream.close()


class ParquetMp4:
    """Parquet and MP4 as LeRobotDataset v3 lays them out, encoded while recording by one thread.

    LeRobot itself writes a PNG a frame and encodes at the end of an episode; this is the same
    product by pyarrow and PyAV, without its detour. H.264 at quality 23: lossy.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: list[bytes] = []
        self._waiting: queue.Queue[Any] = queue.Queue()
        self._thread = threading.Thread(target=self._encode, daemon=True)
        self._thread.start()

    def append(self, step: Step) -> None:
        """Hand the pictures to the encoder."""
        self._waiting.put(step.observation.images)
        self._rows.append(_numbers(step).tobytes())

    def close(self, last: Step) -> None:
        """Wait for the encoder, then write the table."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.append(last)
        self._waiting.put(None)
        self._thread.join()
        table = pa.table({"index": range(len(self._rows)), "numbers": self._rows})
        pq.write_table(table, self._folder / "file-000.parquet")
        (self._folder / "info.json").write_text(json.dumps({"fps": 20}))

    def _encode(self) -> None:
        import av

        files: dict[str, tuple[Any, Any]] = {}
        while (images := self._waiting.get()) is not None:
            for name, image in images.items():
                if name not in files:
                    file = av.open(self._folder / f"{name}.mp4", "w")
                    stream = file.add_stream("libx264", rate=20)
                    stream.height, stream.width = image.shape[:2]
                    stream.pix_fmt = "yuv420p"
                    stream.options = {"crf": "23", "preset": "veryfast"}
                    stream.codec_context.thread_count = 1
                    files[name] = file, stream
                file, stream = files[name]
                file.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        for file, stream in files.values():
            file.mux(stream.encode(None))
            file.close()


RECORDERS: dict[str, Any] = {
    "this store": OurStore,
    "zarr, append a step": ZarrAppend,
    "HDF5, flushed a step": Hdf5,
    "MCAP": Mcap,
    "parquet and MP4, lossy": ParquetMp4,
}


def _numbers(step: Step) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """All of a step but its pictures, as the store's own log packs it."""
    return np.frombuffer(encode_step(step, 0), np.uint8)
