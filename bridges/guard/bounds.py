"""The numbers that one cell's guard holds every command to, out of its profile."""

from __future__ import annotations

from dataclasses import dataclass

from bridges.guard.state import Tempo
from calibration.franka import Model
from calibration.profile import Profile

# The agent waits three control periods for nothing; a quick loop gets this long all the same.
_PERIODS = 3.0
_WINDOW_S = 3.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of one cell in metres, radians and seconds; names as in the profile.

    period_s: between two setpoints. slowed: share of speed for an adapter's first episodes.
    """

    model: Model
    period_s: float
    speed_m_s: float
    rotation_rad_s: float
    acceleration_m_s2: float
    step_m: float
    step_rad: float
    lead_m: float
    lead_rad: float
    low_m: tuple[float, float, float]
    high_m: tuple[float, float, float]
    joint_margin_rad: float
    singular_min: float
    gripper_per_s: float
    joints_s: float
    pose_s: float
    slowed: float
    slowed_episodes: int


def bounds_of(profile: Profile) -> Bounds:
    """The bounds of a cell."""
    limits = profile.limits
    return Bounds(
        model=profile.arm,
        period_s=1.0 / profile.rates.setpoint_hz,
        speed_m_s=limits.speed_m_s,
        rotation_rad_s=limits.rotation_rad_s,
        acceleration_m_s2=limits.acceleration_m_s2,
        step_m=limits.step_m,
        step_rad=limits.step_rad,
        lead_m=limits.lead_m,
        lead_rad=limits.lead_rad,
        low_m=profile.workspace.low_m,
        high_m=profile.workspace.high_m,
        joint_margin_rad=limits.joint_margin_rad,
        singular_min=limits.singular_min,
        gripper_per_s=limits.gripper_per_s,
        joints_s=profile.freshness.joints_s,
        pose_s=profile.freshness.pose_s,
        slowed=limits.new_adapter_speed,
        slowed_episodes=limits.new_adapter_episodes,
    )


def tempo_of(profile: Profile) -> Tempo:
    """How long the guard of a cell bears silence."""
    period_s = 1.0 / profile.rates.setpoint_hz
    return Tempo(
        silence_s=max(_PERIODS / profile.rates.control_hz, profile.freshness.request_s),
        grace_s=2.0 * period_s,
        window=max(1, round(_WINDOW_S / period_s)),
    )
