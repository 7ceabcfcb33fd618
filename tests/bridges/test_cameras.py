"""Cameras that are no ROS topic: files and devices through OpenCV, RealSense in its own process."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from agent.clock import now_s
from bridges.cameras.frames import Latest
from bridges.cameras.opencv import OpenCVCamera
from bridges.cameras.picture import prepared
from bridges.cameras.realsense import RealSenseCamera
from calibration.profile import Camera

ROOT = Path(__file__).parents[2]
SYNTHETIC = Path(__file__).with_name("synthetic_realsense.py")


def spec(**said):
    told = {"name": "view", "source": "opencv:0", "height_px": 16, "width_px": 32}
    return Camera(**{**told, **said})


def test_equal_frames_are_counted_from_the_first_of_them():
    latest = Latest()
    for moment_s, checksum in ((1.0, 5), (2.0, 7), (3.0, 7), (4.0, 7)):
        latest.put(lambda: np.zeros((1, 1, 3), np.uint8), moment_s, checksum)
    assert (latest.newest.equal, latest.newest.since_s) == (3, 2.0)
    latest.put(lambda: np.zeros((1, 1, 3), np.uint8), 5.0, 8)
    assert (latest.newest.equal, latest.newest.since_s) == (1, 5.0)
    assert latest.newest.age_s(5.5) == 0.5


def test_a_picture_is_cut_and_turned_clockwise():
    picture = np.zeros((20, 40, 3), np.uint8)
    picture[2, 4] = 255
    # cut out 16 x 32 (width x height) from left 4, top 2: the white pixel is its upper left one
    wide = np.zeros((40, 40, 3), np.uint8)
    wide[:20] = picture
    cut = prepared(wide, spec(crop=(4, 2, 16, 32), rotate_deg=90))
    assert cut.shape == (16, 32, 3)
    # and a quarter clockwise it is the upper right one
    assert cut[0, 31].tolist() == [255, 255, 255]
    assert cut.sum() == 3 * 255


def test_a_picture_is_shrunk_by_averaging_and_never_shared():
    picture = np.zeros((32, 64, 3), np.uint8)
    picture[:, ::2] = 200
    small = prepared(picture, spec())
    # every other column is 200: half of it on average, none skipped
    assert small.shape == (16, 32, 3)
    assert small[4:-4, 4:-4].mean() == pytest.approx(100, abs=2)
    same = prepared(picture, spec(height_px=32, width_px=64))
    assert not np.shares_memory(same, picture)


def test_a_crop_outside_of_the_picture_is_a_fault():
    from agent.errors import RobotFault

    with pytest.raises(RobotFault, match="crop"):
        prepared(np.zeros((20, 40, 3), np.uint8), spec(crop=(30, 0, 16, 16)))


@pytest.fixture
def video(tmp_path):
    """Ten frames of 64x48, red at first and blue at last, 50 a second."""
    import cv2

    path = str(tmp_path / "video.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"MJPG"), 50.0, (64, 48))
    for number in range(10):
        picture = np.zeros((48, 64, 3), np.uint8)
        picture[..., 2 if number < 5 else 0] = 250  # OpenCV's order: blue, green, red
        writer.write(picture)
    writer.release()
    return path


def test_a_file_is_read_through_opencv_in_rgb_and_at_its_own_pace(video, until):
    camera = OpenCVCamera(video)
    assert camera.newest is None
    began_s = now_s()
    camera.open()
    assert until(lambda: camera.newest)
    first = camera.newest.fetch()
    assert first.shape == (48, 64, 3)
    assert first[20, 20, 0] > 200
    assert first[20, 20, 2] < 50
    assert until(lambda: camera.newest.fetch()[20, 20, 2] > 200)
    # the sixth frame is due a tenth of a second after the first
    assert now_s() - began_s > 0.09
    assert camera.newest.age_s(now_s()) < 0.5
    # it ends, its last picture ages, and it is tried again
    assert until(lambda: "ended after 10 frames" in camera.trouble)
    assert until(lambda: camera.newest.fetch()[20, 20, 0] > 200, 3.0)
    camera.close()
    camera.close()
    assert camera.newest is None


def test_a_device_that_is_not_there_says_so_and_is_tried_again_when_asked(tmp_path, video, until):
    path = tmp_path / "later.avi"
    camera = OpenCVCamera(str(path))
    camera.open()
    assert until(lambda: "cannot be opened" in camera.trouble)
    assert camera.newest is None
    time.sleep(0.6)  # by now it waits a second for its third try
    path.write_bytes(Path(video).read_bytes())
    asked_s = now_s()
    camera.open()
    assert until(lambda: camera.newest)
    assert now_s() - asked_s < 0.5
    camera.close()


def synthetic(*told: str):
    # the reader's script runs alone: pyrealsense2 does not share a process with rclpy
    subprocess.run(
        [sys.executable, str(SYNTHETIC), *told],
        check=True, timeout=60, env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )  # fmt: skip


def have_realsense():
    try:
        import importlib.util

        return importlib.util.find_spec("pyrealsense2") is not None
    except ImportError:
        return False


realsense = pytest.mark.skipif(not have_realsense(), reason="pip install vlarl-agent[realsense]")


@realsense
def test_depth_is_told_for_the_pixels_of_the_colour_camera(tmp_path):
    synthetic("align", "0.05", str(tmp_path / "pair.npz"))
    with np.load(tmp_path / "pair.npz") as pair:
        depth, colour = pair["depth"], pair["colour"]
    assert depth.shape == colour.shape[:2]
    assert colour[0, 0].tolist() == [0, 200, 0]
    # the colour camera stands 5 cm to the right: f b / Z = 60 x 0.05 / 0.5 = 6 px of the wall are
    # outside of what the depth camera saw, on the right
    assert set(depth[24]) == {np.float32(0.5), np.float32(0.0)}
    assert (depth[24, :58] == 0.5).sum() >= 57  # a column between two of its pixels may stay empty
    assert (depth[24, 59:] == 0).all()


@realsense
def test_a_recording_comes_out_of_its_own_process_with_depth(tmp_path, until):
    path = tmp_path / "wall.db3"
    synthetic("record", str(path))
    camera = RealSenseCamera(str(path))
    camera.open()
    assert until(lambda: camera.newest, 20.0)
    picture = camera.newest.fetch()
    assert picture.shape == (48, 64, 3)
    assert picture[0, 0, 1] == 200
    assert picture[0, 63, 1] == 0
    # depth is 0.5 m plus a millimetre a frame, and red 5 a frame
    assert until(lambda: camera.newest.fetch()[0, 0, 0] >= 100, 20.0)
    assert 0.52 <= camera.depth[24, 32] < 0.55
    assert camera.newest.age_s(now_s()) < 1.0
    assert until(lambda: "no frame for 1 s" in camera.trouble, 20.0)
    began_s = now_s()
    camera.close()
    camera.close()
    assert now_s() - began_s < 8.0
    # what was handed on stays whole after its memory is gone
    assert picture[0, 0, 1] == 200


@realsense
def test_a_camera_that_is_not_plugged_in_says_so(until):
    camera = RealSenseCamera("000000000000")
    camera.open()
    assert until(lambda: camera.trouble, 20.0)
    assert "evice" in camera.trouble
    assert camera.newest is None
    camera.close()
