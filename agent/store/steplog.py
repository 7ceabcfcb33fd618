"""The log of a running episode: one small checked record a step, readable up to its torn end.

A record is [length | crc32 | kind | payload], little-endian. Images are not in it: each step and
the end carry the crc32 of their view's images, which lie in the ring or in a finished chunk.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.durable import storage_errors, sync_folder, write_all
from agent.episode import (
    Decision,
    Ending,
    Limit,
    Observation,
    Step,
    Terminated,
    Times,
    Truncated,
)
from agent.store.layout import AXES, Layout, action_rows, row_actions

_HEAD = struct.Struct("<IIc")
# time_s, temperature, crc32 of the images, actions applied, three times, limits, by_hand
_STEP = struct.Struct("<ddIHdddH?")
_LAST = struct.Struct("<dI")  # time_s, crc32 of the images
_ENDINGS: Mapping[str, Ending] = {
    "success": Terminated("success"),
    "fault": Terminated("fault"),
    "timeout": Truncated("timeout"),
    "stopped": Truncated("stopped"),
    "human": Truncated("human"),
}
_BEGIN, _LAYOUT, _ACTED, _ENDED = b"B", b"L", b"S", b"E"


@dataclass(slots=True)
class Logged:
    """What a log holds: raw steps, to be joined with their images."""

    begin: dict[str, Any] = field(default_factory=dict)
    layout: Layout | None = None
    steps: list[bytes] = field(default_factory=list)
    end: bytes | None = None


class StepLog:
    """Appends records; each is in the system's hands when the call returns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._named = False  # its name outlives a power cut

    def open(self, begin: dict[str, Any]) -> None:
        """Start a new log with what is known before the first step. Raises StorageError."""
        with storage_errors(self._path, "starting"):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
            self._descriptor = os.open(self._path, flags, 0o644)
        self._write(_BEGIN, json.dumps(begin).encode())

    def layout(self, layout: Layout) -> None:
        """Keep the layout, once, before the first step or the end."""
        self._write(_LAYOUT, json.dumps(layout.to_json()).encode())

    def step(self, step: Step, frames_crc: int) -> None:
        """Keep all of a step but its images."""
        self._write(_ACTED, encode_step(step, frames_crc))

    def end(self, last: Observation, ending: Ending, frames_crc: int) -> None:
        """Keep the last view without its images, and the ending."""
        head = _LAST.pack(last.time_s, frames_crc)
        felt = last.proprio.tobytes() + last.privileged.tobytes()
        self._write(_ENDED, head + felt + ending.reason.encode())

    def sync(self) -> None:
        """Make all records so far outlive a power cut, from any thread. Raises StorageError."""
        if self._descriptor is not None:
            with storage_errors(self._path, "writing"):
                os.fsync(self._descriptor)
                if not self._named:
                    sync_folder(self._path.parent)
                    self._named = True

    def close(self) -> None:
        """Let go of the file. May be called twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _write(self, kind: bytes, payload: bytes) -> None:
        if self._descriptor is None:
            raise ValueError("the log is not open")
        head = _HEAD.pack(len(payload), zlib.crc32(payload, zlib.crc32(kind)), kind)
        with storage_errors(self._path, "writing"):
            write_all(self._descriptor, head + payload)


def read_log(path: Path) -> Logged:
    """Read a log up to its first record that is torn or fails its check; all after it is lost."""
    logged = Logged()
    if not path.is_file():
        return logged
    for kind, payload in _records(path.read_bytes()):
        if kind == _BEGIN:
            logged.begin = json.loads(payload)
        elif kind == _LAYOUT:
            logged.layout = Layout.from_json(json.loads(payload))
        elif kind == _ACTED:
            logged.steps.append(payload)
        elif kind == _ENDED:
            logged.end = payload
    return logged


def encode_step(step: Step, frames_crc: int) -> bytes:
    """All of a step but its images, as bytes."""
    decision = step.decision
    parts = (
        step.observation.proprio,
        step.observation.privileged,
        decision.tokens,
        decision.log_probs,
        action_rows(decision.actions),
        step.executed,
        action_rows(step.applied),
        step.track,
    )
    times = step.times
    head = _STEP.pack(
        step.observation.time_s,
        decision.temperature,
        frames_crc,
        len(step.applied),
        times.decided_s,
        times.sent_s,
        times.applied_s,
        step.limits,
        step.by_hand,
    )
    return head + b"".join(part.tobytes() for part in parts)


def decode_step(
    payload: bytes, layout: Layout, adapter: str, images: dict[str, NDArray[np.uint8]]
) -> Step:
    """The step that `encode_step` was given, exact to the bit."""
    time_s, temperature, _, taken, *times, limits, by_hand = _STEP.unpack_from(payload)
    cut = _Cutter(payload, _STEP.size)
    proprio, facts = cut(np.float32, layout.proprio), cut(np.float32, layout.privileged)
    tokens, log_probs = cut(np.int16, layout.tokens), cut(np.float32, layout.tokens)
    requested = row_actions(cut(np.float64, layout.actions, AXES))
    executed = cut(np.bool_, layout.actions)
    applied = row_actions(cut(np.float64, taken, AXES))
    track = cut(np.float32, taken, layout.proprio)
    view = Observation(images, proprio, layout.instruction, time_s, facts)
    decision = Decision(requested, tokens, log_probs, adapter, temperature)
    return Step(
        view, decision, applied, executed, track, Times(*times), Limit(limits), by_hand=by_hand
    )


def decode_end(
    payload: bytes, layout: Layout, images: dict[str, NDArray[np.uint8]]
) -> tuple[Observation, Ending]:
    """The last view and the ending."""
    time_s, _ = _LAST.unpack_from(payload)
    cut = _Cutter(payload, _LAST.size)
    proprio, facts = cut(np.float32, layout.proprio), cut(np.float32, layout.privileged)
    ending = ending_named(payload[cut.at :].decode())
    return Observation(images, proprio, layout.instruction, time_s, facts), ending


def frames_crc(payload: bytes, *, last: bool) -> int:
    """The crc32 of the images that belong to a step or to the last view."""
    crc: int = _LAST.unpack_from(payload)[1] if last else _STEP.unpack_from(payload)[2]
    return crc


def ending_named(name: str) -> Ending:
    """The ending called so. Raises ValueError for a name that is none."""
    if name in _ENDINGS:
        return _ENDINGS[name]
    raise ValueError(f"no ending is called {name[:40]!r}")


def _records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + _HEAD.size <= len(data):
        length, crc, kind = _HEAD.unpack_from(data, at)
        payload = data[at + _HEAD.size : at + _HEAD.size + length]
        if len(payload) < length or zlib.crc32(payload, zlib.crc32(kind)) != crc:
            return
        yield kind, payload
        at += _HEAD.size + length


class _Cutter:
    """Cuts arrays off the front of a payload."""

    def __init__(self, payload: bytes, at: int) -> None:
        self._payload = payload
        self.at = at

    def __call__(self, dtype: type, *shape: int) -> NDArray[Any]:
        count = int(np.prod(shape))
        array: NDArray[Any] = np.frombuffer(self._payload, dtype, count, self.at).reshape(shape)
        self.at += array.nbytes
        return array.copy()
