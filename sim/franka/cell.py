"""What the simulated Franka is told when it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.errors import UsageError
from calibration.franka import Model
from calibration.profile import Profile


@dataclass(frozen=True, slots=True)
class CameraTopic:
    """Where a camera's pictures go. compressed: as JPEG, else raw rgb8."""

    topic: str
    info_topic: str
    compressed: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """Names, rates and world of one simulated arm.

    topics: absolute names by what they carry. cameras: by name. image_px: side of a picture.
    faults: in force from the start. board: what lies on the table instead of things, "" for none.
    """

    backend: str
    model: Model
    joint_names: tuple[str, ...]
    home_rad: tuple[float, ...]
    base: str
    namespace: str
    topics: Mapping[str, str]
    cameras: Mapping[str, CameraTopic]
    gripper_width_m: float = 0.08
    gripper_inverted: bool = False
    state_hz: float = 100.0
    camera_hz: float = 30.0
    image_px: int = 96
    render: str = "egl"
    shifts: Mapping[str, float] = field(default_factory=dict)
    task: str = ""
    start: int = 0
    seed: int = 0
    fault: str = ""
    board: str = ""


TOPICS = (
    "joint_states", "current_pose", "target_pose", "gripper_command", "gripper_state",
    "diagnostics",
)  # fmt: skip


def names_of(profile: Profile) -> tuple[Mapping[str, str], Mapping[str, CameraTopic]]:
    """Topics by what they carry, and cameras, as the profile's own arm has them.

    Raises UsageError for a profile whose arm is driven in a way that is not simulated.
    """
    kinds = profile.kinds
    found = (kinds.state, kinds.controller, kinds.gripper)
    if found != ("crisp", "crisp", "position"):
        raise UsageError(
            "a profile with kinds crisp, crisp, position wanted for the simulated Franka, "
            f"found {', '.join(found)} in profile {profile.name}"
        )
    topics = {name: profile.topics.full(getattr(profile.topics, name)) for name in TOPICS}
    topics["operator"] = profile.topics.full("vlarl/operator")
    cameras = {}
    for camera in profile.cameras:
        kind, _, topic = camera.source.partition(":")
        if kind not in {"ros", "ros-compressed"}:
            raise UsageError(
                f"camera {camera.name} on a ROS topic wanted, found {camera.source!r}; "
                "give a profile whose cameras are ros:<topic>"
            )
        full = profile.topics.full(topic)
        parts = full.removesuffix("/compressed").split("/")
        info = "/".join([*parts[:-1], "camera_info"])
        cameras[camera.name] = CameraTopic(full, info, kind == "ros-compressed")
    return topics, cameras
