"""One camera's calibration as a file that people and programs read: TOML, strict, versioned."""

from __future__ import annotations

import json
import math
import os
import tomllib
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, ValidationError

from calibration.camera import PARAMETERS, CameraFit, Intrinsics
from calibration.complaints import CalibrationError
from calibration.hand_eye import HandEye
from calibration.rigid import Float64Array, rotation_vector
from calibration.tables import Lens, Place, Table


class CameraFile(Table):
    """A whole file. place: None before the camera's place was found."""

    schema_version: Literal[1] = Field(alias="schema")
    camera: str
    lens: Lens
    place: Place | None = None

    @property
    def intrinsics(self) -> Intrinsics:
        """The lens as calibration works with it; its covariance is not kept between parameters."""
        lens = self.lens
        matrix = np.array([[lens.fx, 0, lens.cx], [0, lens.fy, lens.cy], [0, 0, 1.0]])
        spread = np.diag([lens.deviations[name] ** 2 for name in PARAMETERS])
        return Intrinsics(lens.width_px, lens.height_px, matrix, np.array(lens.distortion), spread)


def lens_of(intrinsics: Intrinsics, fit: CameraFit) -> Lens:
    """What a file says of a lens."""
    matrix = intrinsics.matrix
    return Lens(
        width_px=intrinsics.width_px, height_px=intrinsics.height_px,
        fx=float(matrix[0, 0]), fy=float(matrix[1, 1]),
        cx=float(matrix[0, 2]), cy=float(matrix[1, 2]),
        distortion=_numbers(intrinsics.distortion), rms_px=fit.rms_px, views=len(fit.views),
        deviations=intrinsics.deviations,
    )  # fmt: skip


def refined(lens: Lens, intrinsics: Intrinsics) -> Lens:
    """The lens with the numbers that fit the arm's poses too; its deviations stay, as bounds."""
    matrix = intrinsics.matrix
    return lens.model_copy(
        update={
            "fx": float(matrix[0, 0]),
            "fy": float(matrix[1, 1]),
            "cx": float(matrix[0, 2]),
            "cy": float(matrix[1, 2]),
            "distortion": _numbers(intrinsics.distortion),
        }
    )


def place_of(found: HandEye, resampled: tuple[float, float] = (0.0, 0.0)) -> Place:
    """What a file says of a camera's place. resampled: m and rad, as bootstrap finds them."""
    pose = found.fit.camera
    return Place(
        mount=found.mount, position_m=_numbers(pose[:3, 3]),
        rotation_vector_rad=_numbers(rotation_vector(pose)),
        deviation_m=found.deviation_m, deviation_rad=found.deviation_rad,
        gap_m=found.gap_m, gap_rad=found.gap_rad, views=len(found.views),
        bootstrap_m=resampled[0], bootstrap_rad=resampled[1],
    )  # fmt: skip


def write(file: Path, camera: CameraFile) -> None:
    """Write the file, whole or not at all."""
    values = camera.model_dump(by_alias=True)
    lines = [f"schema = {values['schema']}", f"camera = {_toml(camera.camera)}"]
    for table in ("lens", "place"):
        if values[table] is not None:
            lines += ["", f"[{table}]"]
            lines += [f"{key} = {_toml(value)}" for key, value in values[table].items()]
    staged = file.with_name(f"{file.name}.{os.getpid()}.new")
    try:
        staged.write_text("\n".join(lines) + "\n", "utf-8")
        staged.replace(file)
    finally:
        staged.unlink(missing_ok=True)


def read(file: Path) -> CameraFile:
    """Read a file back. Raises CalibrationError naming file, key, wanted and found."""
    try:
        return CameraFile.model_validate_json(json.dumps(tomllib.loads(file.read_text("utf-8"))))
    except OSError as error:
        raise CalibrationError(f"camera file {file} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise CalibrationError(
            f"camera file {file}: {key}: {first['msg'].lower()}, found {first['input']!r}; "
            "make it with `vlarl-agent calibrate camera`"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CalibrationError(f"camera file {file} is not TOML: {error}") from error


def _numbers(values: Float64Array) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    if isinstance(value, str):
        # TOML's basic strings are JSON's, but for the delete character.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    return str(value)
