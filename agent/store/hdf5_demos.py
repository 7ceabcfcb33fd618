"""Demonstrations in LIBERO's and robomimic's HDF5 files, checked before a byte of them is read.

In both, `data/demo_<i>` holds actions (T, 7) and obs/<key> (T, ...). They differ in three ways:

                      LIBERO                        robomimic
    pictures          agentview_rgb, turned 180     agentview_image, upright
    the tool's pose   ee_states (T, 6)              robot0_eef_pos, robot0_eef_quat
    obs[t] is seen    after actions[t]              before actions[t]
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agent.durable import storage_errors
from agent.episode import Float32Array, Uint8Array
from agent.errors import DataError, UsageError

if TYPE_CHECKING:
    import h5py

LARGEST_BYTES = 8 << 30  # of one demonstration
MOST_DEMOS = 100_000
MOST_RATIO = 1000  # bytes claimed to bytes stored
MOST_TEXT = 1 << 20  # characters of an attribute
MOST_WORDS = 512  # characters of an instruction
_DEMO = re.compile(r"demo_([0-9]{1,9})")
_LIBERO = {"agentview": "agentview_rgb", "eye_in_hand": "eye_in_hand_rgb"}
_ROBOMIMIC = {"agentview": "agentview_image", "eye_in_hand": "robot0_eye_in_hand_image"}


@dataclass(frozen=True, slots=True)
class Demo:
    """One demonstration: views and, between each and the next, the action that was taken.

    images: camera to (n + 1, h, w, 3), upright. proprio: (n + 1, 8), as the libero robot's card
    says. actions: (n, 7), the last an opening from 0 to 1. success: None where nothing says.
    """

    name: str
    number: int
    task: str
    instruction: str
    hz: float
    images: Mapping[str, Uint8Array]
    proprio: Float32Array
    actions: NDArray[np.float64]
    success: bool | None


class DemoFile:
    """An open HDF5 file of demonstrations, every one of them checked for kind and size."""

    def __init__(self, path: Path, data: h5py.Group) -> None:
        self._path = path
        self._data = data
        info = self._json("problem_info")
        arguments = self._json("env_args")
        words = info.get("language_instruction", arguments.get("lang", ""))
        self._instruction = self._worded("".join(words) if isinstance(words, list) else str(words))
        rate = arguments.get("env_kwargs", {}).get("control_freq", 20)
        self._hz = float(rate) if isinstance(rate, int | float) and 0 < rate <= 1000 else 20.0
        self._task = self._task_name(arguments)
        convention = str(data.attrs.get("macros_image_convention", "opengl"))
        self._turn = np.s_[:, ::-1, ::-1] if convention == "opengl" else np.s_[:, :, ::-1]
        self.names = self._checked_names()

    def read(self, name: str) -> Demo:
        """Read one demonstration. Raises DataError naming it and what is wrong."""
        group = self._data[name]
        obs = group["obs"]
        libero = _LIBERO["agentview"] in obs
        keys = _LIBERO if libero else _ROBOMIMIC
        turn = self._turn if libero else np.s_[:]
        with self._told(name):
            images = {camera: obs[key][()][turn] for camera, key in keys.items() if key in obs}
            proprio = _proprio_of(obs, libero=libero)
            actions = group["actions"][()].astype(np.float64)
            rewards = group["rewards"][()] if "rewards" in group else None
        if not (np.isfinite(proprio).all() and np.isfinite(actions).all()):
            raise DataError(f"{self._path} {name}: holds NaN or infinity; it cannot be imported")
        if np.abs(actions).max(initial=0.0) > 1.0 + 1e-3:
            raise DataError(
                f"{self._path} {name}: want actions from -1 to 1, found {np.abs(actions).max():.3g}"
            )
        # LIBERO looks after each action: its view t answers to action t + 1.
        actions = actions[1:] if libero else actions[:-1]
        actions[:, 6] = np.clip((1.0 - actions[:, 6]) / 2.0, 0.0, 1.0)  # -1 opens, +1 closes
        match = _DEMO.fullmatch(name)
        return Demo(
            name=name,
            number=int(match[1]) if match else 0,
            task=self._task,
            instruction=self._instruction,
            hz=self._hz,
            images={camera: np.ascontiguousarray(frames) for camera, frames in images.items()},
            proprio=proprio,
            actions=actions,
            success=None if rewards is None else bool(np.max(rewards, initial=0) > 0),
        )

    def _checked_names(self) -> tuple[str, ...]:
        found = [name for name in self._data if _DEMO.fullmatch(name)]
        if not found or len(found) > MOST_DEMOS:
            raise DataError(
                f"{self._path}: want 1 to {MOST_DEMOS} groups data/demo_<i>, found {len(found)}"
            )
        names = sorted(found, key=lambda name: int(name.removeprefix("demo_")))
        for name in names:
            self._check(name)
        return tuple(names)

    def _check(self, name: str) -> None:
        """Raise DataError unless the demonstration has the shapes, kinds and size of one."""
        demo = self._group(self._data, name)
        obs = self._group(demo, "obs")
        keys = _LIBERO if _LIBERO["agentview"] in obs else _ROBOMIMIC
        wanted = {key: (obs, 4, "u") for key in keys.values() if key in obs}
        if not wanted:
            raise DataError(
                f"{self._path} {name}: want pictures in obs/{keys['agentview']} or "
                f"obs/{_LIBERO['agentview']}, found {', '.join(sorted(obs))[:200] or 'none'}"
            )
        numbers = ("ee_states", "gripper_states") if keys is _LIBERO else _QUATERNION
        wanted |= dict.fromkeys(numbers, (obs, 2, "f"))
        wanted["actions"] = (demo, 2, "f")
        steps = {key: self._size(f"{name}/{key}", *told, key=key) for key, told in wanted.items()}
        if len({count for count, _ in steps.values()}) > 1 or min(steps.values())[0] < 2:
            lengths = ", ".join(f"{key} {count}" for key, (count, _) in steps.items())
            raise DataError(f"{self._path} {name}: want 2 steps or more of each, found {lengths}")
        if (claimed := sum(size for _, size in steps.values())) > LARGEST_BYTES:
            raise DataError(
                f"{self._path} {name}: claims {claimed} bytes, the limit is {LARGEST_BYTES}"
            )

    def _size(
        self, where: str, group: h5py.Group, sides: int, kind: str, *, key: str
    ) -> tuple[int, int]:
        """Length and bytes of an array that its file really holds."""
        import h5py

        if key not in group or not self._is_own(group, key):
            raise DataError(f"{self._path} {where}: missing, or not in this file; it is refused")
        array = group[key]
        last = {4: 3, 2: _WIDTHS.get(key, 7)}[sides]
        if (
            not isinstance(array, h5py.Dataset)
            or array.dtype.kind != kind
            or (kind == "u" and array.dtype.itemsize != 1)
            or array.ndim != sides
            or array.shape[-1] != last
        ):
            what = getattr(array, "shape", "a group"), getattr(array, "dtype", "")
            raise DataError(
                f"{self._path} {where}: want {sides} dimensions, the last {last}, of kind "
                f"{kind!r}, found {what[0]} {what[1]}"
            )
        if array.external is not None or array.is_virtual:
            raise DataError(f"{self._path} {where}: its values lie in other files; it is refused")
        size, stored = math.prod(array.shape) * array.dtype.itemsize, array.id.get_storage_size()
        if size > MOST_RATIO * max(stored, 4096):
            raise DataError(
                f"{self._path} {where}: claims {size} bytes and stores {stored}, the limit is "
                f"{MOST_RATIO} to 1"
            )
        return array.shape[0], size

    def _group(self, parent: h5py.Group, name: str) -> h5py.Group:
        import h5py

        if not self._is_own(parent, name) or not isinstance(parent[name], h5py.Group):
            raise DataError(
                f"{self._path} {parent.name}/{name}: want a group of this file; it is refused"
            )
        return parent[name]

    def _is_own(self, group: h5py.Group, name: str) -> bool:
        """Whether the name leads to something in this very file, and not to another's."""
        import h5py

        return isinstance(group.get(name, getlink=True), h5py.HardLink)

    def _json(self, key: str) -> dict[str, Any]:
        text = self._data.attrs.get(key, "{}")
        text = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
        if len(text) > MOST_TEXT:
            raise DataError(f"{self._path}: attribute {key} has {len(text)} characters, the limit "
                            f"is {MOST_TEXT}")  # fmt: skip
        try:
            values = json.loads(text)
        except ValueError as error:
            raise DataError(f"{self._path}: attribute {key} is not JSON: {error}") from error
        return values if isinstance(values, dict) else {}

    def _worded(self, words: str) -> str:
        plain = " ".join("".join(c if c.isprintable() else " " for c in words).split())
        if len(plain) > MOST_WORDS:
            raise DataError(
                f"{self._path}: its instruction has {len(plain)} characters, the limit is "
                f"{MOST_WORDS}"
            )
        return plain

    def _task_name(self, arguments: Mapping[str, Any]) -> str:
        told = self._data.attrs.get("bddl_file_name", arguments.get("env_name", self._path.stem))
        parts = Path(str(told)).with_suffix("").parts[-2:]
        return re.sub(r"[^A-Za-z0-9_./-]+", "-", "/".join(parts)).strip("/.-")[:128] or "imported"

    @contextmanager
    def _told(self, name: str) -> Iterator[None]:
        try:
            yield
        except (OSError, RuntimeError, ValueError, MemoryError) as error:
            raise DataError(f"{self._path} {name}: damaged: {error}") from error


_QUATERNION = ("robot0_eef_pos", "robot0_eef_quat", "robot0_gripper_qpos")
_WIDTHS = {
    "actions": 7, "ee_states": 6, "gripper_states": 2, "robot0_eef_pos": 3, "robot0_eef_quat": 4,
    "robot0_gripper_qpos": 2,
}  # fmt: skip


@contextmanager
def open_demos(path: Path) -> Iterator[DemoFile]:
    """Open a file of demonstrations for reading. Raises UsageError, DataError, StorageError."""
    try:
        import h5py
    except ImportError as error:
        raise UsageError("HDF5 wants h5py; pip install 'vlarl-agent[hdf5]'") from error
    if not path.is_file():
        raise UsageError(f"{path}: no such file; check the path")
    with storage_errors(path, "reading"), path.open("rb") as stream:
        if stream.read(8) != b"\x89HDF\r\n\x1a\n":
            raise DataError(f"{path}: is no HDF5 file, or a torn one")
    try:
        file = h5py.File(path, "r")
    except (OSError, RuntimeError) as error:
        raise DataError(f"{path}: cannot be opened: {error}") from error
    with file:
        if not isinstance(file.get("data", getlink=True), h5py.HardLink):
            raise DataError(f"{path}: want a group data with demonstrations, found none")
        yield DemoFile(path, file["data"])


def _proprio_of(obs: h5py.Group, *, libero: bool) -> Float32Array:
    """(T, 8) tool position m, axis-angle rad, two finger positions m."""
    if libero:
        parts: Sequence[Any] = (obs["ee_states"][()], obs["gripper_states"][()])
    else:
        pose, quaternion, fingers = (obs[key][()] for key in _QUATERNION)
        parts = (pose, _axis_angles(quaternion), fingers)
    return np.concatenate(parts, axis=1).astype(np.float32)


def _axis_angles(quaternions: NDArray[Any]) -> NDArray[np.float64]:
    """2 acos(w) about each axis, x y z w; in [0, 2 pi], as LIBERO has it."""
    w = np.clip(quaternions[:, 3:].astype(np.float64), -1.0, 1.0)
    length = np.sqrt(1.0 - w * w)
    turned = np.where(length > 1e-8, 2.0 * np.arccos(w) / np.maximum(length, 1e-8), 0.0)
    return np.asarray(quaternions[:, :3] * turned)
