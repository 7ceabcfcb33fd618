"""The whole guided calibration through the simulated Franka: over DDS, under the guard."""

import math
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from agent.cli.app import app
from agent.errors import DataError, Interrupted, UsageError
from calibration.profile import SHIPPED, load
from calibration.rigid import motion, rotation_vector

pytest.importorskip("cv2", reason="pip install vlarl-agent[calibrate]")
pytest.importorskip("rclpy", reason="pip install vlarl-agent[ros]")

BOARD = ("--square-mm", "25", "--marker-mm", "18")
# sim.tabletop.arm: the camera sits 75 mm before the hand's frame, the tool point 103.4 mm below it.
CAMERA_M = (0.075, 0.0, -0.1034)
# A field of 70 degrees on 400 px: 200 / tan 35 deg.
FOCAL_PX = 285.63


@pytest.fixture(scope="module")
def board_cell(tmp_path_factory):
    """A simulated Franka with one camera, a board on its table, and a guard."""
    from tests.bridges.rehearsal import Rehearsal, own_domain, patient_cell

    own_domain()
    folder = tmp_path_factory.mktemp("board")
    file = folder / "cell.toml"
    text = Path(patient_cell(folder)).read_text()
    first, last = text.index("[[cameras]]"), text.rindex("[[cameras]]")
    file.write_text(text[:first] + text[last:])
    cell = Rehearsal(
        str(file), "tabletop", "--board", "8x6:25:18", "--image-px", "400", "--camera-hz", "8"
    )
    try:
        yield cell.start()
    finally:
        cell.close()


def said(*arguments, answers=""):
    done = CliRunner().invoke(app, ["calibrate", *map(str, arguments)], input=answers)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def hand_eye(cell, folder, *more, answers=""):
    return said(
        "hand-eye", folder / "views", "--out", folder / "wrist.toml", "--live", *BOARD,
        "--profile", cell.profile, "--size", "400x400", *more, answers=answers,
    )  # fmt: skip


def test_a_person_is_led_from_an_empty_profile_to_a_calibrated_cell(board_cell, tmp_path):
    began, profile = time.monotonic(), board_cell.profile
    told = said(
        "workspace", "--profile", profile, "--corner", "0.36,-0.22,0.03", "--corner",
        "0.62,0.22,0.42", "--picture", tmp_path / "box.png", "--into", profile,
    )  # fmt: skip
    assert "the arm reaches 100 % of it" in told
    assert (tmp_path / "box.png").stat().st_size > 5000
    # Nothing moves without consent, and what was taken before an end is taken up again.
    with pytest.raises(Interrupted, match="2 views are kept"):
        hand_eye(board_cell, tmp_path, "--count", 10, answers="yes\nyes\nquit\n")
    assert len(list((tmp_path / "views").glob("*.png"))) == 2
    told = hand_eye(board_cell, tmp_path, "--count", 10, "--yes", "--into", profile)
    assert "2 pictures taken before, going on" in told
    assert "nats" in told
    told = said("actions", "--profile", profile, "--yes", "--into", profile)
    assert "FAIL" not in told
    told = said("latency", "--profile", profile, "--yes", "--seconds", 5, "--into", profile)
    cell = load(profile)
    assert cell.workspace.low_m == (0.36, -0.22, 0.03)
    (camera,) = cell.cameras
    assert camera.lens is not None
    assert camera.lens.fx == pytest.approx(FOCAL_PX, abs=1.5)
    assert camera.place is not None
    off_m = np.linalg.norm(np.array(camera.place.position_m) - CAMERA_M)
    assert off_m < 0.001
    assert math.degrees(_turn_off(camera.place.rotation_vector_rad)) < 0.3
    assert cell.response is not None
    assert 0.5 < cell.response.gain < 1.2
    assert cell.latency is not None
    assert 0.0 < cell.latency.command_s < 0.25
    assert 0.0 < cell.latency.frame_s["eye_in_hand"] < 0.6
    assert time.monotonic() - began < 200.0  # a busy machine; alone a quarter of it


def test_a_board_of_another_dictionary_is_said_to_be_out_of_view(board_cell, tmp_path):
    with pytest.raises(DataError, match="not seen from the start pose"):
        hand_eye(board_cell, tmp_path, "--dictionary", "4x4_100", "--yes")


def test_nothing_moves_where_the_person_says_no(board_cell, tmp_path):
    with pytest.raises(Interrupted, match="nothing has moved"):
        hand_eye(board_cell, tmp_path, answers="no\n")
    assert not list((tmp_path / "views").glob("*.png"))


def test_nobody_to_ask_is_no_consent(board_cell, tmp_path):
    with pytest.raises(Interrupted, match="consent wanted"):
        said("actions", "--profile", board_cell.profile)


def test_a_profile_of_another_model_is_not_written_into(board_cell, tmp_path):
    other = tmp_path / "other.toml"
    other.write_bytes((SHIPPED / "franka.toml").read_bytes())
    with pytest.raises(UsageError, match="profile of model 'panda' wanted"):
        said("actions", "--profile", board_cell.profile, "--yes", "--into", other)


def test_a_pose_of_another_model_on_this_one_is_refused_by_its_joint(tmp_path):
    # A panda's joint 6 may be at 0.2 rad, an FR3's not below 0.5445.
    file = tmp_path / "cell.toml"
    text = (SHIPPED / "franka.toml").read_text()
    file.write_text(text.replace("1.5708, 0.7854", "0.2, 0.7854"))
    with pytest.raises(UsageError, match=r"joint 6 of fr3: wanted 0\.5445 to 4\.5169"):
        said("workspace", "--profile", file, "--corner", "0.3,-0.3,0", "--corner", "0.6,0.3,0.4")


def _turn_off(vector):
    """From what the simulator's camera is turned by: MuJoCo's x right, y up, back along z."""
    x, y = np.array([0.0, -1.0, 0.0]), np.array([-0.91, 0.0, -0.42])
    y /= np.linalg.norm(y)
    true = np.eye(4)
    # OpenCV's camera has y down and looks along z.
    true[:3, :3] = np.stack([x, -y, np.cross(x, -y)], axis=1)
    found = motion(vector, np.zeros(3))
    return np.linalg.norm(rotation_vector(true.T @ found))
