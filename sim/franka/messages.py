"""The simulator's own few conversions to and from ROS messages.

On purpose not the bridge's: a mistake there must not be made here as well.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence

import numpy as np
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import PoseStamped
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState
from std_msgs.msg import Header

from agent.episode import Uint8Array
from sim.franka.pose import Pose, axes_of, quaternion_of
from sim.tabletop.arm import Float64Array


def time_of(seconds: float) -> Time:
    """Seconds since the epoch as a stamp; times before it are the epoch."""
    whole = math.floor(max(seconds, 0.0))
    return Time(sec=whole, nanosec=int((max(seconds, 0.0) - whole) * 1e9))


def joint_state(
    stamp: Time, names: Sequence[str], positions: Float64Array, speeds: Float64Array
) -> JointState:
    """Positions and velocities of named joints."""
    return JointState(
        header=Header(stamp=stamp),
        name=list(names),
        position=positions.tolist(),
        velocity=speeds.tolist(),
    )


def pose_stamped(stamp: Time, frame: str, pose: Pose) -> PoseStamped:
    """The tool in a frame; a pose of NaN stays one."""
    message = PoseStamped(header=Header(stamp=stamp, frame_id=frame))
    place, turn = message.pose.position, message.pose.orientation
    place.x, place.y, place.z = pose.position.tolist()
    turn.x, turn.y, turn.z, turn.w = (
        quaternion_of(pose.axes) if np.isfinite(pose.axes).all() else (math.nan,) * 4
    )
    return message


def target_of(message: PoseStamped, frame: str) -> Pose | str:
    """The target in a message, or why it is none that a controller would follow."""
    if message.header.frame_id != frame:
        return f"target in frame {message.header.frame_id!r}, the base frame is {frame!r}"
    place, turn = message.pose.position, message.pose.orientation
    position = np.array([place.x, place.y, place.z])
    axes = axes_of(np.array([turn.x, turn.y, turn.z, turn.w]))
    if axes is None or not np.isfinite(position).all():
        return f"target is no pose: {position.tolist()}, {turn.x}, {turn.y}, {turn.z}, {turn.w}"
    return Pose(position, axes)


def image(stamp: Time, frame: str, picture: Uint8Array) -> Image:
    """A picture (h, w, 3) as rgb8."""
    height, width, _ = picture.shape
    message = Image(
        header=Header(stamp=stamp, frame_id=frame),
        height=height,
        width=width,
        encoding="rgb8",
        step=3 * width,
    )
    message.data.frombytes(picture.tobytes())  # element by element takes a hundred times longer
    return message


def jpeg(stamp: Time, frame: str, picture: Uint8Array) -> CompressedImage:
    """A picture (h, w, 3) as JPEG."""
    from PIL import Image as Pillow

    kept = io.BytesIO()
    Pillow.fromarray(picture).save(kept, "JPEG", quality=95)
    message = CompressedImage(header=Header(stamp=stamp, frame_id=frame), format="jpeg")
    message.data.frombytes(kept.getvalue())
    return message


def camera_info(stamp: Time, frame: str, side_px: int, field_rad: float) -> CameraInfo:
    """A pinhole without distortion whose square picture spans a field of view."""
    focal_px = side_px / 2 / math.tan(field_rad / 2)
    middle = side_px / 2
    intrinsic = [focal_px, 0.0, middle, 0.0, focal_px, middle, 0.0, 0.0, 1.0]
    return CameraInfo(
        header=Header(stamp=stamp, frame_id=frame),
        height=side_px,
        width=side_px,
        distortion_model="plumb_bob",
        d=[0.0] * 5,
        k=intrinsic,
        r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p=[focal_px, 0.0, middle, 0.0, 0.0, focal_px, middle, 0.0, 0.0, 0.0, 1.0, 0.0],
    )


def diagnostics(stamp: Time, name: str, told: Mapping[str, str], *, well: bool) -> DiagnosticArray:
    """What the arm says of itself; hardware_id "simulated", so that nobody takes it for real."""
    status = DiagnosticStatus(
        level=DiagnosticStatus.OK if well else DiagnosticStatus.ERROR,
        name=name,
        message=told.get("robot_mode", ""),
        hardware_id="simulated",
        values=[KeyValue(key=key, value=value) for key, value in told.items()],
    )
    return DiagnosticArray(header=Header(stamp=stamp), status=[status])
