"""ROS messages become values, or a fault that says what is wrong with them."""

import array
import io

import numpy as np
import pytest
from PIL import Image as Picture

pytest.importorskip("rclpy", reason="pip install vlarl-agent[ros]")

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from sensor_msgs.msg import CompressedImage, Image, JointState

from agent.errors import RobotFault
from bridges.messages import (
    compressed_image_of,
    image_of,
    joints_of,
    opening_of,
    pose_of,
    says_simulated,
    stamp_s,
)

# two rows of two pixels: red, green / blue, white
PIXELS = np.array(
    [[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], np.uint8
)  # fmt: skip


def image(data: bytes, encoding: str = "rgb8", height: int = 2, width: int = 2, step: int = 6):
    return Image(
        height=height, width=width, encoding=encoding, step=step, data=array.array("B", data)
    )


def test_rgb_is_taken_as_it_is_without_a_copy():
    message = image(PIXELS.tobytes())
    picture = image_of(message)
    assert np.array_equal(picture, PIXELS)
    # a view: what is written to the message shows in the picture
    message.data[0] = 7
    assert picture[0, 0, 0] == 7


def test_bgr_is_turned_round_without_a_copy():
    message = image(PIXELS[:, :, ::-1].tobytes(), "bgr8")
    picture = image_of(message)
    assert np.array_equal(picture, PIXELS)
    message.data[2] = 7  # the third byte of the first pixel is its red
    assert picture[0, 0, 0] == 7


def test_grey_is_shown_three_times():
    picture = image_of(image(bytes([1, 2, 3, 4]), "mono8", step=2))
    assert picture.shape == (2, 2, 3)
    assert picture[1, 0].tolist() == [3, 3, 3]


def test_padding_at_the_end_of_a_row_is_left_out():
    rows = [PIXELS[row].tobytes() + b"\xee\xee" for row in range(2)]
    assert np.array_equal(image_of(image(b"".join(rows), step=8)), PIXELS)
    # some drivers leave the last row's padding away
    assert np.array_equal(image_of(image((rows[0] + rows[1])[:-2], step=8)), PIXELS)


@pytest.mark.parametrize(
    "bad",
    [
        image(PIXELS.tobytes(), "16UC1"),
        image(PIXELS.tobytes(), step=5),
        image(PIXELS.tobytes()[:-1]),
        image(b"", height=0),
        image(b"", width=100_000, step=300_000),
    ],
    ids=["encoding", "row too short", "data too short", "no rows", "too wide"],
)
def test_an_image_whose_sizes_do_not_fit_is_a_fault(bad):
    with pytest.raises(RobotFault):
        image_of(bad)


def test_a_png_is_opened_and_a_damaged_one_is_a_fault():
    file = io.BytesIO()
    Picture.fromarray(PIXELS).save(file, "PNG")
    message = CompressedImage(format="rgb8; png compressed", data=file.getvalue())
    assert np.array_equal(compressed_image_of(message), PIXELS)
    for data in (b"", b"no picture", file.getvalue()[:40]):
        with pytest.raises(RobotFault, match="JPEG or PNG"):
            compressed_image_of(CompressedImage(format="png", data=data))


def test_depth_is_not_taken_for_colour():
    with pytest.raises(RobotFault, match="colour"):
        compressed_image_of(CompressedImage(format="16UC1; compressedDepth png", data=b"x"))


def test_joints_are_looked_up_by_name():
    message = JointState(name=["b", "finger", "a"], position=[2.0, 9.0, 1.0])
    assert joints_of(message, ("a", "b")).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("names", "positions"),
    [(["a"], [1.0]), (["a", "a"], [1.0, 2.0]), (["a", "b"], [1.0]), (["a", "b"], [1.0, np.nan])],
    ids=["missing", "twice", "no position", "not a number"],
)
def test_joints_that_cannot_be_are_a_fault(names, positions):
    with pytest.raises(RobotFault):
        joints_of(JointState(name=names, position=positions), ("a", "b"))


@pytest.mark.parametrize(
    ("positions", "inverted", "opening"),
    [
        # fingers 2 cm each from the middle are 4 of 8 cm apart
        ([0.02, 0.02], False, 0.5),
        ([0.02, 0.02], True, 0.5),
        ([0.3], False, 0.3),
        ([0.3], True, 0.7),
        ([0.0401, 0.0401], False, 1.0),
    ],
)
def test_an_opening_is_a_share_of_the_width(positions, inverted, opening):
    found = opening_of(JointState(position=positions), 0.08, inverted=inverted)
    assert found == pytest.approx(opening)


@pytest.mark.parametrize("positions", [[], [np.nan], [0.1, 0.1, 0.1]])
def test_a_gripper_that_tells_no_opening_is_a_fault(positions):
    with pytest.raises(RobotFault, match="gripper positions"):
        opening_of(JointState(position=positions), 0.08, inverted=False)


def pose(frame="base", x=0.5, w=1.0):
    message = PoseStamped()
    message.header.frame_id = frame
    message.pose.position.x = x
    message.pose.orientation.w = w
    return message


def test_a_pose_is_read_and_its_quaternion_made_one_long():
    read = pose_of(pose(w=1.001), "base")
    assert read.position_m.tolist() == [0.5, 0, 0]
    assert read.quaternion.tolist() == [0, 0, 0, 1.0]


@pytest.mark.parametrize(
    "bad",
    [pose(frame="world"), pose(x=np.nan), pose(w=0.0), pose(w=np.nan), pose(w=1.2)],
    ids=["frame", "place", "no turn", "turn not a number", "no unit quaternion"],
)
def test_a_pose_in_another_frame_or_none_at_all_is_a_fault(bad):
    with pytest.raises(RobotFault):
        pose_of(bad, "base")


def test_a_stamp_nobody_set_is_no_time():
    message = JointState()
    assert np.isnan(stamp_s(message))
    message.header.stamp.sec, message.header.stamp.nanosec = 12, 500_000_000
    assert stamp_s(message) == 12.5
    assert np.isnan(stamp_s(DiagnosticArray()))
    assert np.isnan(stamp_s("no header at all"))


def test_only_an_arm_that_says_so_is_simulated():
    assert not says_simulated(DiagnosticArray())
    assert not says_simulated(DiagnosticArray(status=[DiagnosticStatus(hardware_id="fr3")]))
    assert says_simulated(DiagnosticArray(status=[DiagnosticStatus(hardware_id="simulated")]))
