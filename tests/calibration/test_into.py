"""What is found goes into a profile's file, whose other lines stay as they were."""

import pytest

from calibration.complaints import ProfileError
from calibration.into import write_into
from calibration.profile import SHIPPED, load

PLACE = {
    "mount": "on-hand", "position_m": [0.07, 0.0, -0.1], "rotation_vector_rad": [0.3, 0.1, -1.5],
    "deviation_m": 2e-4, "deviation_rad": 9e-4, "gap_m": 4e-5, "gap_rad": 5e-4, "views": 12,
}  # fmt: skip


@pytest.fixture
def mine(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_bytes((SHIPPED / "franka.toml").read_bytes())
    return file


def test_a_table_that_is_there_gets_its_new_values_and_keeps_its_comment(mine):
    before = mine.read_text()
    write_into(mine, {"workspace": {"low_m": [0.3, -0.3, 0.05], "high_m": [0.7, 0.3, 0.5]}})
    after = mine.read_text()
    assert load(str(mine)).workspace.low_m == (0.3, -0.3, 0.05)
    changed = set(before.splitlines()) ^ set(after.splitlines())
    assert changed == {
        "low_m = [0.28, -0.35, 0.02]", "high_m = [0.70, 0.35, 0.55]",
        "low_m = [0.3, -0.3, 0.05]", "high_m = [0.7, 0.3, 0.5]",
    }  # fmt: skip


def test_a_value_over_several_lines_is_replaced_whole(mine):
    text = mine.read_text().replace(
        "low_m = [0.28, -0.35, 0.02]", "low_m = [\n  0.28,\n  -0.35, 0.02,\n]"
    )
    mine.write_text(text)
    write_into(mine, {"workspace": {"low_m": [0.3, -0.3, 0.05]}})
    assert load(str(mine)).workspace.low_m == (0.3, -0.3, 0.05)


def test_the_second_cameras_place_is_written_twice_and_read_once(mine):
    for position in ([0.07, 0.0, -0.1], [0.08, 0.0, -0.1]):
        write_into(mine, {"cameras.eye_in_hand.place": {**PLACE, "position_m": position}})
    first, second = load(str(mine)).cameras
    assert first.place is None
    assert second.place is not None
    assert second.place.position_m == (0.08, 0.0, -0.1)
    assert mine.read_text().count("[cameras.place]") == 1


def test_the_first_cameras_own_keys_stay_above_its_tables(mine):
    write_into(mine, {"cameras.agentview.place": {**PLACE, "mount": "beside"}})
    write_into(mine, {"cameras.agentview": {"rotate_deg": 90}})
    first, second = load(str(mine)).cameras
    assert (first.rotate_deg, second.rotate_deg) == (90, 0)
    assert first.place is not None
    assert second.place is None


def test_what_the_cell_cannot_be_is_not_written(mine):
    before = mine.read_text()
    with pytest.raises(ProfileError, match="a box that holds home"):
        write_into(mine, {"workspace": {"low_m": [0.6, -0.3, 0.05]}})
    assert mine.read_text() == before


def test_a_camera_that_is_not_there_is_named(mine):
    with pytest.raises(ProfileError, match="one called 'left' wanted"):
        write_into(mine, {"cameras.left.place": PLACE})


def test_a_shipped_profile_is_not_written_into():
    with pytest.raises(ProfileError, match="copy it first"):
        write_into(SHIPPED / "franka.toml", {"workspace": {"low_m": [0.3, -0.3, 0.05]}})


def test_latency_and_response_change_the_hash(mine):
    before = load(str(mine)).sha256
    write_into(mine, {"response": {"gain": 0.84, "delay_steps": 1}})
    write_into(mine, {"latency": {"command_s": 0.05, "command_deviation_s": 0.001,
                                  "frame_s": {"agentview": 0.09}}})  # fmt: skip
    found = load(str(mine))
    assert found.response is not None
    assert found.response.gain == 0.84
    assert found.latency is not None
    assert found.latency.frame_s == {"agentview": 0.09}
    assert found.sha256 != before
