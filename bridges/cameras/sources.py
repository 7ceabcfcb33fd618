"""From a camera's line in the profile to the camera."""

from __future__ import annotations

from bridges.cameras.frames import Camera
from bridges.node import Link
from calibration.profile import Profile


def make_cameras(profile: Profile, link: Link) -> tuple[Camera, ...]:
    """The profile's cameras in its order, none of them opened yet."""
    return tuple(_make(camera.source, profile, link) for camera in profile.cameras)


def _make(source: str, profile: Profile, link: Link) -> Camera:
    kind, _, rest = source.partition(":")
    if kind in {"ros", "ros-compressed"}:
        from bridges.cameras.ros import RosCamera

        return RosCamera(link, profile.topics.full(rest), compressed=kind == "ros-compressed")
    if kind == "opencv":
        from bridges.cameras.opencv import OpenCVCamera

        return OpenCVCamera(rest)
    from bridges.cameras.realsense import RealSenseCamera

    return RealSenseCamera(rest)
