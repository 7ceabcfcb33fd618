"""A folder of pictures of a board, and the file of arm poses that may lie beside them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from calibration.board import Board, Seen, find
from calibration.complaints import CalibrationError
from calibration.rigid import Float64Array

KINDS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
POSES = "poses.json"


def pictures(folder: Path) -> list[Path]:
    """The pictures of a folder by name. Raises CalibrationError where there is none."""
    if not folder.is_dir():
        raise CalibrationError(f"a folder of pictures wanted, {folder} is none; check the path")
    found = sorted(file for file in folder.iterdir() if file.suffix.lower() in KINDS)
    if not found:
        raise CalibrationError(f"pictures ({', '.join(KINDS)}) wanted in {folder}, found none")
    return found


def look(board: Board, files: Sequence[Path]) -> tuple[list[Seen | None], tuple[int, int]]:
    """What each picture shows of the board, and the size (width, height) px they all have.

    Raises CalibrationError for a file that is no picture, or one of another size.
    """
    seen: list[Seen | None] = []
    size: tuple[int, int] | None = None
    for file in files:
        picture = read(file)
        height, width = picture.shape[:2]
        size = size or (width, height)
        if (width, height) != size:
            raise CalibrationError(
                f"pictures of {size[0]} x {size[1]} px wanted, {file.name} has {width} x {height}; "
                "use one camera at one size"
            )
        seen.append(find(board, picture))
    return seen, size or (0, 0)


def read(file: Path) -> NDArray[np.uint8]:
    """One picture, grey (h, w). Raises CalibrationError for a file that is none."""
    try:
        data = np.frombuffer(file.read_bytes(), np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if data.size else None
    except OSError as error:
        raise CalibrationError(f"picture {file} cannot be read: {error.strerror}") from error
    except cv2.error as error:
        raise CalibrationError(f"picture {file} cannot be decoded: {error.err}") from error
    if picture is None:
        raise CalibrationError(f"a picture wanted, {file} cannot be decoded; delete it")
    return np.asarray(picture, np.uint8)


def poses(folder: Path, files: Sequence[Path]) -> Float64Array:
    """The arm's pose (n, 4, 4), tool_in_base, at each picture, out of the folder's poses.json.

    It holds, by file name, {"position_m": [x, y, z], "quaternion_xyzw": [x, y, z, w]}.
    Raises CalibrationError for a picture without a pose, or one that is none.
    """
    file = folder / POSES
    try:
        told = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise CalibrationError(f"arm poses wanted in {file}: {error.strerror}") from error
    except ValueError as error:
        raise CalibrationError(f"{file} is not JSON: {error}") from error
    found = [_pose(file, told, each.name) for each in files]
    return np.stack(found)


def _pose(file: Path, told: object, name: str) -> Float64Array:
    if not isinstance(told, dict) or name not in told:
        raise CalibrationError(f"{file}: a pose of {name} wanted, found none")
    try:
        place = np.array(told[name]["position_m"], np.float64)
        turned = np.array(told[name]["quaternion_xyzw"], np.float64)
        if place.shape != (3,) or turned.shape != (4,) or not np.isfinite([*place, *turned]).all():
            raise ValueError(f"{place} and {turned}")
        if abs(float(np.linalg.norm(turned)) - 1.0) > 1e-2:
            raise ValueError(f"a quaternion of length {np.linalg.norm(turned):.3f}")
    except (KeyError, TypeError, ValueError) as error:
        raise CalibrationError(
            f"{file}: {name}: wanted position_m (3 numbers) and quaternion_xyzw (4, of length 1), "
            f"found {error}"
        ) from error
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = Rotation.from_quat(turned).as_matrix(), place
    return pose
