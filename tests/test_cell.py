"""The profile beside a run: saved at its start, held to when it goes on."""

import json

import pytest

from agent import cell
from agent.errors import DataError, UsageError
from agent.settings import RobotSettings
from calibration.profile import find, load


def test_a_robot_without_a_cell_has_no_profile():
    assert cell.cell_of(RobotSettings()) is None


def test_a_wrong_profile_is_wrong_settings(tmp_path):
    file = tmp_path / "cell.toml"
    file.write_text(find("franka").read_text().replace("[0.0, -0.7854,", "[9.0, -0.7854,"))
    with pytest.raises(UsageError, match=r"cell\.toml: home\.joints_rad: joint 1 of fr3"):
        cell.cell_of(RobotSettings(profile=str(file)))


def test_the_same_cell_goes_on(tmp_path):
    cell.keep(tmp_path, load("franka"))
    cell.hold_to(tmp_path, load("franka"))


def test_another_cell_is_refused_and_every_difference_named(tmp_path):
    cell.keep(tmp_path, load("franka"))
    changed = tmp_path / "changed.toml"
    text = find("franka").read_text().replace("speed_m_s = 0.25", "speed_m_s = 0.2")
    changed.write_text(text.replace('source = "ros:eye', 'source = "ros:wrist/eye'))
    with pytest.raises(UsageError, match=r"limits\.speed_m_s was 0\.25, is 0\.2; restore") as said:
        cell.hold_to(tmp_path, load(str(changed)))
    # The camera by its name, and the other one not at all.
    assert "cameras.eye_in_hand.source was 'ros:eye" in str(said.value)
    assert "agentview" not in str(said.value)


def test_a_run_with_a_cell_does_not_go_on_without_one_nor_the_other_way_round(tmp_path):
    with pytest.raises(UsageError, match="begun without a robot profile, found 'panda'"):
        cell.hold_to(tmp_path, load("panda"))
    cell.keep(tmp_path, load("panda"))
    with pytest.raises(UsageError, match="begun with robot profile 'panda', found none"):
        cell.hold_to(tmp_path, None)


@pytest.mark.parametrize("torn", ["", "{", '{"sha256": "x"}', '{"profile": {"schema": 1}}'])
def test_a_torn_record_is_named(tmp_path, torn):
    cell.keep(tmp_path, load("franka"))
    (tmp_path / "cell.json").write_text(torn)
    with pytest.raises(DataError, match=r"cell\.json cannot be read"):
        cell.hold_to(tmp_path, load("franka"))


def test_what_is_saved_names_its_hash(tmp_path):
    cell.keep(tmp_path, load("franka"))
    saved = json.loads((tmp_path / "cell.json").read_text())
    assert saved["sha256"] == load("franka").sha256 == cell.marks(load("franka"))["profile_sha256"]
