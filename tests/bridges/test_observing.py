"""One observation out of many streams, told by a node that says what it likes."""

import array
import threading
import time

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="pip install vlarl-agent[ros]")

from geometry_msgs.msg import PoseStamped
from sensor_msgs.msg import Image, JointState

from agent.clock import now_s
from agent.errors import RobotFault
from bridges.cameras.sources import make_cameras
from bridges.feeling import Senses
from bridges.node import Link
from bridges.observing import Views
from calibration.profile import load

pytestmark = pytest.mark.ros

PAUSE = threading.Event().wait
# Limits with which a busy machine does not interfere, all but the cameras'.
SHIPPED = load("tabletop")
FRESH = {"joints_s": 3.0, "pose_s": 3.0, "camera_s": 0.6, "frozen_frames": 40}
PROFILE = SHIPPED.model_copy(update={"freshness": SHIPPED.freshness.model_copy(update=FRESH)})
NOISE = np.random.default_rng(0).integers(0, 255, (96, 96, 3), np.uint8)


class Cell:
    """Both ends: an arm and two cameras that tell what a test says, and the bridge's ears."""

    def __init__(self):
        self.arm, self.link = Link("an_arm"), Link("vlarl_test")
        self.arm.open()
        self.link.open()
        self.joints = self.arm.publisher("/joint_states", JointState)
        self.pose = self.arm.publisher("/current_pose", PoseStamped)
        self.gripper = self.arm.publisher("/gripper/joint_states", JointState)
        self.eyes = {
            name: self.arm.publisher(f"/{name}/color/image_raw", Image)
            for name in ("agentview", "eye_in_hand")
        }
        self.senses = Senses(PROFILE)
        self.senses.open(self.link)
        cameras = make_cameras(PROFILE, self.link)
        for camera in cameras:
            camera.open()
        self.views = Views(PROFILE, self.senses, cameras)

    def heard_by_all(self):
        publishers = (self.joints, self.pose, self.gripper, *self.eyes.values())
        return all(each.get_subscription_count() >= 1 for each in publishers)

    def feel(self, x_m=0.5, ago_s=0.0, opening=1.0, turn=(1.0, 0.0, 0.0, 0.0)):
        joints = JointState(name=list(PROFILE.joint_names), position=[0.1 * n for n in range(7)])
        fingers = JointState(name=["f1", "f2"], position=[opening * 0.04] * 2)
        pose = PoseStamped()
        pose.pose.position.x, pose.pose.position.z = x_m, 0.2
        i, j, k, w = turn
        pose.pose.orientation.x, pose.pose.orientation.y = i, j
        pose.pose.orientation.z, pose.pose.orientation.w = k, w
        for publisher, message in (
            (self.joints, joints), (self.gripper, fingers), (self.pose, pose),
        ):  # fmt: skip
            stamp(message, ago_s, "base")
            publisher.publish(message)

    def show(self, picture=NOISE, ago_s=0.0, names=("agentview", "eye_in_hand")):
        for name in names:
            height, width, _ = picture.shape
            message = Image(height=height, width=width, encoding="rgb8", step=3 * width)
            message.data = array.array("B", picture.tobytes())
            stamp(message, ago_s, name)
            self.eyes[name].publish(message)

    def close(self):
        self.link.close()
        self.arm.close()


def stamp(message, ago_s, frame):
    moment = time.time() - ago_s
    message.header.stamp.sec = int(moment)
    message.header.stamp.nanosec = int((moment % 1) * 1e9)
    message.header.frame_id = frame


@pytest.fixture(scope="module")
def graph():
    cell = Cell()
    yield cell
    cell.close()


@pytest.fixture
def cell(graph, until):
    assert until(graph.heard_by_all)
    time.sleep(0.05)
    graph.senses.forget()
    return graph


def test_the_arm_is_told_as_it_was_when_the_picture_was_taken(cell, until):
    # the tool moves 1 cm every 20 ms or so; the pictures are of 0.1 s ago
    felt_s = []
    for number in range(16):
        felt_s.append(now_s())
        cell.feel(0.40 + 0.01 * number)
        time.sleep(0.02)
    shown_s = now_s()
    cell.show(ago_s=0.1)
    assert until(lambda: all(camera.newest for _, camera in cell.views._cameras))
    asked_s = now_s()
    sight = cell.views.look("touch", 1.0, 0.0)
    view = sight.observation
    # where it was then, told from the table's middle, 0.5 m in front of the base; one step more or
    # less where two are nearly as near
    then = np.abs(np.array(felt_s) - (shown_s - 0.1)).argmin()
    assert 0 < then < 15
    assert view.proprio[0] == pytest.approx(0.40 + 0.01 * then - 0.5, abs=0.0101)
    assert view.proprio[2] == pytest.approx(0.2)
    assert view.time_s == pytest.approx(shown_s - 0.1, abs=0.02)
    assert view.time_s < asked_s - 0.09
    assert sight.ages_s["agentview"] > 0.09
    assert sight.ages_s["pose"] < sight.ages_s["agentview"]
    assert view.instruction == "touch"


def test_proprioception_is_laid_out_as_the_profile_says(cell, until):
    # turned by 0.2 rad about z from pointing down: quaternion (0, 0, sin 0.1, cos 0.1) times
    # (1, 0, 0, 0) = (cos 0.1, sin 0.1, 0, 0)
    cell.feel(0.6, turn=(np.cos(0.1), np.sin(0.1), 0.0, 0.0), opening=0.25)
    assert until(lambda: max(cell.senses.ages(now_s()).values()) < 0.2)
    proprio = cell.senses.proprio(cell.senses.now(), 0.5)
    assert proprio.dtype == np.float32
    # x is told from the table's middle, 0.5 m in front of the base
    assert proprio == pytest.approx([0.1, 0, 0.2, 0, 0, 0.2, 0.25, 0.5], abs=1e-6)


def test_joints_can_be_proprioception_too(cell, until):
    names = ("joint_7_rad", "joint_1_rad", "opening_commanded")
    layout = PROFILE.proprio.model_copy(update={"names": names})
    senses = Senses(PROFILE.model_copy(update={"proprio": layout}))
    senses.open(cell.link)
    assert until(lambda: cell.joints.get_subscription_count() == 2)
    cell.feel()
    felt = senses.wait(2.0, lambda seconds: cell.feel() or PAUSE(seconds))
    assert senses.proprio(felt, 0.5) == pytest.approx([0.6, 0.0, 0.5])


def test_a_picture_that_is_not_yet_there_is_waited_for_within_the_limit(cell, until):
    cell.feel()
    cell.show()
    assert until(lambda: cell.views._cameras[0][1].newest)
    asked_s = now_s()

    def later():
        time.sleep(0.1)
        cell.feel()
        cell.show()

    helper = threading.Thread(target=later)
    helper.start()
    view = cell.views.look("touch", 1.0, asked_s).observation
    helper.join()
    assert view.time_s > asked_s
    assert now_s() - asked_s < 0.6


def test_one_camera_that_stays_behind_is_named(cell, until):
    cell.feel()
    cell.show()
    time.sleep(0.65)
    cell.feel()
    cell.show(names=("agentview",))
    assert until(lambda: max(cell.senses.ages(now_s()).values()) < 0.1)
    with pytest.raises(RobotFault, match=r"camera 'eye_in_hand' is 0\.\d+ s old, limit 0\.60 s"):
        cell.views.look("touch", 1.0, 0.0)


def test_a_camera_that_repeats_itself_is_frozen_only_once_the_arm_has_moved(cell, until):
    wanted = PROFILE.freshness.frozen_frames
    for _ in range(wanted + 5):
        cell.feel(0.5)
        cell.show()
        time.sleep(0.01)
    time.sleep(0.05)
    # nothing moved, and nothing has to look different
    cell.views.check()
    for number in range(10):
        cell.feel(0.5 + 0.001 * number)
        cell.show()
        time.sleep(0.01)
    with pytest.raises(RobotFault, match=r"camera 'agentview' is frozen: \d+ equal pictures"):
        cell.views.check()
    # a picture that differs in one value is alive
    alive = NOISE.copy()
    alive[0, 0, 0] ^= 1
    cell.feel(0.51)
    cell.show(alive)
    assert until(lambda: all(camera.newest.equal == 1 for _, camera in cell.views._cameras))
    cell.views.check()


def test_a_black_picture_is_no_picture(cell, until):
    cell.feel()
    cell.show()
    cell.show(np.full((96, 96, 3), 7, np.uint8), names=("agentview",))
    assert until(lambda: cell.views._cameras[0][1].newest.equal == 1)
    time.sleep(0.05)
    with pytest.raises(RobotFault, match=r"camera 'agentview' shows nothing: .* deviate by 0\.0"):
        cell.views.look("touch", 1.0, 0.0)


def test_a_picture_of_the_future_is_not_trusted(cell):
    cell.feel()
    cell.show(ago_s=-2.0)
    time.sleep(0.05)
    with pytest.raises(RobotFault, match=r"'agentview': its stamps are 2\.0\d s ahead"):
        cell.views.check()


def test_a_picture_of_another_size_is_brought_to_the_policys(cell, until):
    cell.feel()
    cell.show(np.kron(NOISE, np.ones((2, 2, 1), np.uint8)))
    assert until(lambda: cell.views._cameras[1][1].newest.fetch().shape == (192, 192, 3))
    view = cell.views.look("touch", 1.0, 0.0).observation
    assert view.images["agentview"].shape == (96, 96, 3)
    # every pixel doubled and halved again: away from the filter's edges about what it was
    blur = np.abs(view.images["agentview"].astype(int) - NOISE).mean()
    assert blur < 40
