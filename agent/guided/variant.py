"""A cell as it is calibrated: one camera's pictures at their own size, uncut and not turned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from agent.errors import UsageError
from calibration.complaints import ProfileError
from calibration.into import write_into
from calibration.poses import Bounds
from calibration.profile import Profile, find, load
from calibration.reach import Reach, Vector

FILE = "cell.toml"


def loaded(name: str) -> Profile:
    """A profile by name or file. Raises UsageError with what is wrong with it."""
    try:
        return load(name)
    except ProfileError as error:
        raise UsageError(str(error)) from error


def uncut(name: str, camera: str, size: tuple[int, int], folder: Path) -> Path:
    """Write the profile with that camera's pictures whole into a folder. size: width, height px."""
    cell = loaded(name)
    known = {each.name: each for each in cell.cameras}
    if camera not in known:
        raise UsageError(f"a camera of {', '.join(known)} wanted, found {camera!r}")
    if known[camera].crop is not None:
        raise UsageError(
            f"whole pictures of camera {camera!r} wanted for its calibration, profile {cell.name} "
            "cuts them; remove its crop in a copy: a lens is known by its whole picture"
        )
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / FILE
    file.write_bytes(find(name).read_bytes())
    table = {"width_px": size[0], "height_px": size[1], "rotate_deg": 0}
    try:
        write_into(file, {f"cameras.{camera}": table})
    except ProfileError as error:
        raise UsageError(str(error)) from error
    return file


def bounds_of(cell: Profile) -> Bounds:
    """Where the tool may be sent in a cell: a little inside of what the guard lets pass."""
    limits = cell.limits
    reach = Reach(cell.arm, limits.joint_margin_rad, limits.singular_min)
    inner = 0.005  # m; the guard holds what is on the wall
    low, high = (np.array(side) for side in (cell.workspace.low_m, cell.workspace.high_m))
    box = cell.workspace.box
    return Bounds(
        replace(box, low_m=tuple(low + inner), high_m=tuple(high - inner)),
        replace(reach, margin_rad=reach.margin_rad + 0.05),
    )


def home_of(cell: Profile) -> Vector:
    """Joints (7,) rad at home."""
    return np.array(cell.home.joints_rad)
