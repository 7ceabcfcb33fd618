"""`vlarl-agent calibrate view` over folders of pictures."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from agent.cli.app import app
from agent.errors import DataError, UsageError
from calibration.camera import PARAMETERS
from calibration.camera_file import CameraFile, write
from calibration.tables import Lens


def folder(path, right, count=3):
    """Pictures of the same blocks, all moved by this much."""
    rng = np.random.default_rng(0)
    scene = np.full((120, 200), 150, np.uint8)
    for _ in range(30):
        x, y, side = rng.integers(0, 190), rng.integers(0, 110), rng.integers(8, 25)
        scene[y : y + side, x : x + side] = rng.integers(20, 250)
    path.mkdir()
    for number in range(count):
        drawn = cv2.GaussianBlur(scene[10:106, 20 - right : 148 - right], (0, 0), 1.0)
        Image.fromarray(drawn).save(path / f"{number}.png")
    return path


def told(*command):
    """What the command printed; its refusal is raised."""
    done = CliRunner().invoke(app, ["calibrate", "view", *map(str, command)])
    if done.exception is not None:
        raise done.exception
    return done.stdout


def test_a_view_is_laid_over_the_one_it_should_be(tmp_path):
    wanted, seen = folder(tmp_path / "wanted", 0), folder(tmp_path / "seen", 6)
    over = tmp_path / "over.png"
    command = [seen, "--reference", wanted, "--focal-px", 300, "--distance-m", 0.5]
    said = told(*command, "--picture", over)
    # 6 px at a focal length of 300 px and 0.5 m: the camera went 10 mm to the left.
    assert "seen: what it sees is +6.0 px right and" in said
    assert "stands -10 mm right" in said
    with Image.open(over) as drawn:
        assert drawn.size == (128, 96)
    found = json.loads(told(*command, "--json"))[""]
    assert found["offset"]["shift_px"][0] == pytest.approx(6.0, abs=0.1)


def test_what_cannot_be_laid_over_is_refused(tmp_path):
    wanted = folder(tmp_path / "wanted", 0)
    with pytest.raises(DataError, match="is none; check the path"):
        told(wanted, "--reference", tmp_path / "none")
    with pytest.raises(UsageError, match=r"a \.png file wanted"):
        told(wanted, "--reference", wanted, "--picture", "over.jpg")


def test_a_lens_of_pictures_of_another_size_is_refused(tmp_path):
    wanted, file = folder(tmp_path / "wanted", 0), tmp_path / "camera.toml"
    deviations = dict.fromkeys(PARAMETERS, 0.1)
    lens = Lens(
        width_px=640, height_px=480, fx=600.0, fy=600.0, cx=320.0, cy=240.0,
        distortion=(0.0,) * 5, rms_px=0.1, views=20, deviations=deviations,
    )  # fmt: skip
    write(file, CameraFile(schema=1, camera="wrist", lens=lens))
    with pytest.raises(UsageError, match=r"views of 640 x 480 px wanted.* found 128 x 96"):
        told(wanted, "--reference", wanted, "--lens", file)
