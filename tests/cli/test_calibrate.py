"""`vlarl-agent calibrate` on folders of drawn pictures, and on bad ones."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation
from typer.testing import CliRunner

from agent.cli.app import app
from agent.errors import DataError, StorageError, UsageError
from benchmarks.board_scene import TRUE, BoardScene, Picture, looks_at
from calibration import camera_file
from calibration.board import Board
from calibration.complaints import CalibrationError
from calibration.rigid import apart, inverse, motion, nudged
from tests.calibration.views import BOARD, CAMERA, MIDDLE


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """16 pictures from a camera on the hand of an arm with 0.2 mm of jitter, and its poses."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(5)
    scene, told = BoardScene(Board()), {}
    try:
        for number in range(16):
            aim = MIDDLE + np.append(rng.uniform(-0.07, 0.07, 2), 0.0)
            place = looks_at(aim, rng.uniform(0.26, 0.42), rng)
            name = f"{number:03d}.png"
            Image.fromarray(scene.look(inverse(place), rng, Picture())).save(folder / name)
            jitter = np.append(rng.normal(0, 1.2e-4, 3), rng.normal(0, 3e-4, 3))
            tool = nudged(BOARD @ place @ inverse(CAMERA), jitter)
            told[name] = {
                "position_m": tool[:3, 3].tolist(),
                "quaternion_xyzw": Rotation.from_matrix(tool[:3, :3]).as_quat().tolist(),
            }
    finally:
        scene.close()
    (folder / "poses.json").write_text(json.dumps(told))
    return folder


@pytest.fixture
def mine(folder, tmp_path):
    """A copy that a test may spoil."""
    return shutil.copytree(folder, tmp_path / "pictures")


def said(*arguments):
    done = CliRunner().invoke(app, ["calibrate", *map(str, arguments)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def test_pictures_become_a_camera_file_and_the_arm_adds_its_place(folder, tmp_path):
    out = tmp_path / "wrist.toml"
    told = json.loads(said("camera", folder, "--out", out, "--name", "wrist", "--json"))
    assert told["camera"] == "wrist"
    assert told["lens"]["fx"] == pytest.approx(605.0, abs=0.9)
    assert "+- " in said("camera", folder, "--out", out)
    assert camera_file.read(out).place is None
    assert "the loop closes to" in said("hand-eye", folder, "--out", out)
    found = camera_file.read(out)
    place = found.place
    pose = motion(place.rotation_vector_rad, place.position_m)
    far_m, turned_rad = apart(pose, CAMERA)
    assert far_m < 3e-4
    assert np.degrees(turned_rad) < 0.05
    assert found.intrinsics.matrix == pytest.approx(TRUE.matrix, abs=0.9)


def test_a_name_of_any_letters_is_kept_and_a_file_that_cannot_be_written_is_told(folder, tmp_path):
    out, name = tmp_path / "camera.toml", 'the "wrist" \\ one\x7f\n[place]'
    said("camera", folder, "--out", out, "--name", name)
    assert camera_file.read(out).camera == name
    assert [each.name for each in tmp_path.iterdir()] == ["camera.toml"]
    with pytest.raises(StorageError, match="nowhere"):
        said("camera", folder, "--out", tmp_path / "nowhere" / "camera.toml")
    with pytest.raises(StorageError, match="nowhere"):
        said("board", tmp_path / "nowhere" / "board.pdf")


def test_a_board_that_cannot_be_is_a_wrong_flag(tmp_path):
    with pytest.raises(UsageError, match="3 x 3"):
        said("board", tmp_path / "board.pdf", "--columns", 0)


def test_a_board_is_written_and_its_size_told(tmp_path):
    told = said("board", tmp_path / "board.pdf", "--columns", 5, "--rows", 4, "--square-mm", 40)
    # 5 squares of 40 mm and two margins of 10; 4 squares, two margins and the strip of 12
    assert "220.0 x 192.0 mm" in told


@pytest.mark.parametrize(
    ("spoil", "wanted"),
    [
        (lambda f: [each.unlink() for each in sorted(f.glob("*.png"))[5:]], "8 pictures"),
        (lambda f: (f / "003.png").write_bytes(b""), "003.png cannot be decoded"),
        (lambda f: ((f / "003.png").unlink(), (f / "003.png").mkdir()), "003.png cannot be read"),
        (lambda f: Image.new("L", (320, 240)).save(f / "003.png"), "320 x 240"),
        (lambda f: [each.unlink() for each in f.glob("*.png")], "found none"),
    ],
)
def test_bad_pictures_are_one_clear_error(mine, tmp_path, spoil, wanted):
    spoil(mine)
    with pytest.raises(DataError, match=wanted):
        said("camera", mine, "--out", tmp_path / "camera.toml")
    assert not (tmp_path / "camera.toml").exists()


def test_another_board_than_the_printed_one_is_an_error(folder, tmp_path):
    with pytest.raises(DataError, match="4x4_50"):
        said("camera", folder, "--out", tmp_path / "c.toml", "--dictionary", "4x4_50")


@pytest.mark.parametrize(
    ("poses", "wanted"),
    [
        ("{", "not JSON"),
        ("[]", "a pose of 000.png wanted"),
        ('{"000.png": {"position_m": [0, 0]}}', "000.png: wanted position_m"),
        (
            '{"000.png": {"position_m": [0, 0, 0], "quaternion_xyzw": [0, 0, 0, 2]}}',
            "a quaternion of length 2",
        ),
    ],
)
def test_bad_arm_poses_are_one_clear_error(mine, tmp_path, poses, wanted):
    out = tmp_path / "camera.toml"
    said("camera", mine, "--out", out)
    before = out.read_text()
    (mine / "poses.json").write_text(poses)
    with pytest.raises(DataError, match=wanted):
        said("hand-eye", mine, "--out", out)
    assert out.read_text() == before


def test_a_camera_file_that_was_altered_names_its_key(folder, tmp_path):
    out = tmp_path / "camera.toml"
    said("camera", folder, "--out", out)
    out.write_text(out.read_text().replace("fx = ", "fx = -"))
    with pytest.raises(CalibrationError, match=r"lens\.fx"):
        camera_file.read(out)
