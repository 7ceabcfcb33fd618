"""ROS messages as plain values: pure conversions that need no node and copy no image."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.episode import Uint8Array
from agent.errors import RobotFault
from bridges.pose import Float64Array, Pose

if TYPE_CHECKING:
    from diagnostic_msgs.msg import DiagnosticArray
    from geometry_msgs.msg import PoseStamped
    from sensor_msgs.msg import CompressedImage, Image, JointState

CHANNELS = {"rgb8": 3, "bgr8": 3, "mono8": 1}
LONGEST_SIDE_PX = 8192


def stamp_s(message: Any) -> float:  # noqa: ANN401  any message may have a header
    """The wall-clock time in a message's header; NaN where there is none or nobody set it."""
    header = getattr(message, "header", None)
    if header is None or (header.stamp.sec == 0 and header.stamp.nanosec == 0):
        return math.nan
    return float(header.stamp.sec + header.stamp.nanosec * 1e-9)


def image_of(message: Image) -> Uint8Array:
    """The picture (h, w, 3) RGB as a view into the message, whatever its row padding.

    Raises RobotFault for an encoding or sizes that do not fit together.
    """
    height, width = _sides(message.height, message.width)
    channels = CHANNELS.get(message.encoding)
    if channels is None:
        raise RobotFault(
            f"an image encoded {', '.join(CHANNELS)} wanted, found {message.encoding!r}; "
            "set the camera driver's output format"
        )
    row, found = width * channels, len(message.data)
    if message.step < row or found < message.step * (height - 1) + row:
        raise RobotFault(
            f"an image {width}x{height} {message.encoding} needs rows of {row} bytes or more, "
            f"found rows of {message.step} and {found} bytes in all; is its driver damaged?"
        )
    pixels: Uint8Array = np.ndarray(
        (height, width, channels),
        np.uint8,
        memoryview(message.data),
        strides=(message.step, channels, 1),
    )
    if message.encoding == "bgr8":
        return pixels[:, :, ::-1]
    if message.encoding == "mono8":
        return np.broadcast_to(pixels, (height, width, 3))
    return pixels


def compressed_image_of(message: CompressedImage) -> Uint8Array:
    """The picture (h, w, 3) RGB of a JPEG or PNG. Raises RobotFault for anything else."""
    from PIL import Image as Picture

    if "depth" in message.format.lower():
        raise RobotFault(f"a compressed colour image wanted, found {message.format!r}")
    try:
        with Picture.open(io.BytesIO(message.data), formats=("JPEG", "PNG")) as picture:
            _sides(picture.height, picture.width)
            return np.asarray(picture.convert("RGB"))
    except (OSError, ValueError, SyntaxError) as error:
        raise RobotFault(
            f"a JPEG or PNG wanted, found {len(message.data)} bytes called "
            f"{message.format!r}: {error}"
        ) from None


def joints_of(message: JointState, names: Sequence[str]) -> Float64Array:
    """Positions of the named joints, in the order of the names; their order there is no matter.

    Raises RobotFault for a joint that is missing, twice there, or not finite.
    """
    found = list(message.name)
    if len(set(found)) < len(found) or len(message.position) != len(found):
        raise RobotFault(
            f"one position for each differently named joint wanted, found names {found} "
            f"and {len(message.position)} positions"
        )
    missing = [name for name in names if name not in found]
    if missing:
        raise RobotFault(
            f"joints {missing} wanted, found {found}; is the profile's model this arm's?"
        )
    joints = np.array([message.position[found.index(name)] for name in names], np.float64)
    if not np.isfinite(joints).all():
        raise RobotFault(f"finite joint positions wanted, found {joints.tolist()}")
    return joints


def pose_of(message: PoseStamped, frame: str) -> Pose:
    """The tool's pose in the frame. Raises RobotFault for another frame or no pose at all."""
    if message.header.frame_id != frame:
        raise RobotFault(
            f"the tool's pose in frame {frame!r} wanted, found {message.header.frame_id!r}; "
            "set [frames] base in the profile, or the controller's base frame"
        )
    place, turn = message.pose.position, message.pose.orientation
    position = np.array([place.x, place.y, place.z], np.float64)
    quaternion = np.array([turn.x, turn.y, turn.z, turn.w], np.float64)
    norm = math.sqrt(float(quaternion @ quaternion))
    # NaN fails every comparison, so a NaN norm is refused as well.
    if not np.isfinite(position).all() or not 0.99 < norm < 1.01:
        raise RobotFault(
            f"a finite position and a unit quaternion wanted, found {position.tolist()} "
            f"and {quaternion.tolist()}"
        )
    return Pose(position, quaternion / norm)


def opening_of(message: JointState, width_m: float, *, inverted: bool) -> float:
    """How far a gripper is open, 0 closed .. 1 open.

    Of two fingers, each tells half of the width between them, m; a single position tells a share
    of the width, and that of closing where the driver is inverted.
    """
    positions = np.array(message.position, np.float64)
    if not 1 <= len(positions) <= 2 or not np.isfinite(positions).all():
        raise RobotFault(
            f"one or two finite gripper positions wanted, found {positions.tolist()}; "
            "set [topics] gripper_state in the profile"
        )
    if len(positions) == 2:
        opening = float(positions.sum()) / width_m
    else:
        opening = float(positions[0])
        opening = 1.0 - opening if inverted else opening
    return min(max(opening, 0.0), 1.0)


def says_simulated(message: DiagnosticArray) -> bool:
    """Whether a status in it comes from an arm that says it is no real one."""
    return any(status.hardware_id == "simulated" for status in message.status)


def value_in(message: DiagnosticArray, key: str) -> str:
    """The value of a key in any status of it; "" for none."""
    pairs = (pair for status in message.status for pair in status.values)
    return next((str(pair.value) for pair in pairs if pair.key == key), "")


def _sides(height: int, width: int) -> tuple[int, int]:
    if not (0 < height <= LONGEST_SIDE_PX and 0 < width <= LONGEST_SIDE_PX):
        raise RobotFault(
            f"an image of 1 to {LONGEST_SIDE_PX} px a side wanted, found {width}x{height}"
        )
    return height, width
