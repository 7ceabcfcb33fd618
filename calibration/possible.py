"""What a cell's figures must be to each other and to the model's published limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from calibration.franka import forward, least_singular

if TYPE_CHECKING:
    from calibration.profile import Profile

# CRISP's impedance controller clips the pose error here; a longer lead would only wind up.
ERROR_CLIP_M = 0.1
ERROR_CLIP_RAD = 0.5

Contradiction = tuple[str, str, str]  # key, wanted, found


def contradictions(cell: Profile) -> Iterator[Contradiction]:
    """Yield every figure that cannot be: its key, what was wanted, what was found."""
    yield from _home(cell)
    yield from _workspace(cell)
    yield from _limits(cell)
    yield from _rates(cell)
    yield from _cameras(cell)


def _home(cell: Profile) -> Iterator[Contradiction]:
    arm = cell.arm
    for number, (angle, low, high) in enumerate(
        zip(cell.home.joints_rad, arm.low_rad, arm.high_rad, strict=True), start=1
    ):
        if not low <= angle <= high:
            yield (
                f"home.joints_rad: joint {number} of {cell.model}",
                f"{low} to {high} rad",
                f"{angle}; take a home pose made for this model",
            )
        margin = cell.limits.joint_margin_rad
        if not low + margin <= angle <= high - margin:
            yield (
                f"home.joints_rad: joint {number} of {cell.model}",
                f"{low + margin:.4f} to {high - margin:.4f} rad (limits.joint_margin_rad inside)",
                f"{angle}",
            )
    least = least_singular(cell.home.joints_rad)
    if least < cell.limits.singular_min:
        wanted = f"a pose with limits.singular_min {cell.limits.singular_min} or more"
        yield "home.joints_rad", wanted, f"{least:.4f}"


def _workspace(cell: Profile) -> Iterator[Contradiction]:
    low, high = cell.workspace.low_m, cell.workspace.high_m
    if not all(a < b for a, b in zip(low, high, strict=True)):
        yield "workspace", "low_m below high_m in x, y and z", f"{low} and {high}"
    tool, _ = forward(cell.home.joints_rad)
    if not cell.workspace.box.contains(tool):
        x, y, z = tool
        yield "workspace", f"a box that holds home ({x:.3f}, {y:.3f}, {z:.3f})", f"{low} to {high}"


def _limits(cell: Profile) -> Iterator[Contradiction]:
    limits, arm = cell.limits, cell.arm
    rules = [
        ("speed_m_s", limits.speed_m_s, arm.tool_speed_m_s),
        ("rotation_rad_s", limits.rotation_rad_s, arm.tool_rotation_rad_s),
    ]
    # A simulated arm may be sent targets that jump, as the embedded one is.
    if not cell.simulated:
        rules.append(("acceleration_m_s2", limits.acceleration_m_s2, arm.tool_acceleration_m_s2))
    if cell.kinds.controller == "crisp":
        rules.append(("lead_m", limits.lead_m, ERROR_CLIP_M))
        rules.append(("lead_rad", limits.lead_rad, ERROR_CLIP_RAD))
    for name, found, most in rules:
        if found > most:
            yield f"limits.{name}", f"{most} or less for {cell.model}", f"{found}"


def _rates(cell: Profile) -> Iterator[Contradiction]:
    ratio = cell.rates.setpoint_hz / cell.rates.control_hz
    if ratio < 1 or abs(ratio - round(ratio)) > 1e-9:
        wanted = f"a whole multiple of control_hz {cell.rates.control_hz:g}"
        yield "rates.setpoint_hz", wanted, f"{cell.rates.setpoint_hz:g}"


def _cameras(cell: Profile) -> Iterator[Contradiction]:
    counts = Counter(camera.name for camera in cell.cameras)
    for name, count in counts.items():
        if count > 1:
            yield "cameras", "a name for each camera", f"{name!r} {count} times"
    for camera in cell.cameras:
        if camera.crop is not None and (min(camera.crop) < 0 or min(camera.crop[2:]) < 1):
            wanted = "left, top, width, height of a rectangle"
            yield f"cameras.{camera.name}.crop", wanted, f"{camera.crop}"
