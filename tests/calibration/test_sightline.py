"""How far the scene of a calibrated camera is, and its focal length in a run's own pictures."""

import numpy as np
import pytest

from calibration.camera import PARAMETERS
from calibration.into import write_into
from calibration.profile import SHIPPED
from calibration.reach import tool_of
from calibration.sightline import sightlines

LENS = {
    "width_px": 640, "height_px": 480, "fx": 600.0, "fy": 600.0, "cx": 320.0, "cy": 240.0,
    "distortion": [0.0] * 5, "rms_px": 0.1, "views": 20,
    "deviations": dict.fromkeys(PARAMETERS, 0.1),
}  # fmt: skip
DOUBT = {"deviation_m": 2e-4, "deviation_rad": 9e-4, "gap_m": 4e-5, "gap_rad": 5e-4, "views": 12}
# Straight down, and level along the base's x.
DOWN, LEVEL = [np.pi, 0.0, 0.0], [0.0, np.pi / 2, 0.0]


def cell_with(tmp_path, mount, position_m, turn, **keys):
    """The shipped table-top cell with a lens and a place for its agentview."""
    file = tmp_path / "cell.toml"
    file.write_bytes((SHIPPED / "tabletop.toml").read_bytes())
    place = {"mount": mount, "position_m": position_m, "rotation_vector_rad": turn, **DOUBT}
    tables = {"cameras.agentview.lens": LENS, "cameras.agentview.place": place}
    return write_into(file, tables | ({"cameras.agentview": keys} if keys else {}))


def test_a_camera_that_looks_down_looks_to_the_floor_of_the_box(tmp_path):
    found = sightlines(cell_with(tmp_path, "beside", [0.5, 0.0, 0.6], DOWN))
    assert list(found) == ["agentview"]
    # The box ends 0.09 m below the base; 640 px of the lens are 96 of the run.
    assert found["agentview"].distance_m == pytest.approx(0.69, abs=1e-6)
    assert found["agentview"].focal_px == pytest.approx(600 * 96 / 640)


def test_a_level_camera_looks_to_the_middle_of_the_box(tmp_path):
    found = sightlines(cell_with(tmp_path, "beside", [-0.475, 0.0, 0.18], LEVEL))
    # The middle of 0.18 .. 0.87, -0.38 .. 0.38 and -0.09 .. 0.45 is (0.525, 0, 0.18).
    assert found["agentview"].distance_m == pytest.approx(1.0, abs=1e-6)


def test_a_camera_on_the_hand_looks_from_home_and_a_cut_picture_keeps_its_scale(tmp_path):
    cell = cell_with(
        tmp_path,
        "on-hand",
        [0.0, 0.0, -0.1],
        [0.0, 0.0, 0.0],
        crop=[80, 0, 480, 480],
        rotate_deg=90,
    )
    found = sightlines(cell)["agentview"]
    tool = tool_of(np.array(cell.home.joints_rad))
    height = tool[2, 3] - 0.1 * tool[2, 2] + 0.09
    assert found.distance_m == pytest.approx(height / -tool[2, 2])
    assert found.focal_px == pytest.approx(600 * 96 / 480)
