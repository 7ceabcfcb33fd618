import re
import tomllib

import pytest

from calibration.complaints import ProfileError
from calibration.profile import SHIPPED, find, from_dict, load

NAMES = sorted(path.stem for path in SHIPPED.glob("*.toml"))


def cell(**tables):
    """The shipped cell's tables with some keys replaced, table by table."""
    data = tomllib.loads(find("franka").read_text())
    for name, value in tables.items():
        data[name] = {**data[name], **value} if isinstance(value, dict) else value
    return data


def refused(data):
    with pytest.raises(ProfileError) as caught:
        from_dict(data, "cell.toml")
    text = str(caught.value)
    assert text.startswith("profile cell.toml: ")
    assert "\n" not in text
    return text


def test_every_shipped_profile_is_possible_and_called_like_its_file():
    assert NAMES == ["franka", "panda", "tabletop"]
    assert [load(name).name for name in NAMES] == NAMES
    assert [load(name).simulated for name in NAMES] == [False, False, True]


def test_a_panda_home_pose_is_refused_for_a_research_3():
    panda = [0.0, -0.2, 0.0, -2.5, 0.0, 0.4, 0.7854]  # a Panda may turn joint 6 down to -0.0175
    said = refused(cell(home={"joints_rad": panda}))
    assert "home.joints_rad: joint 6 of fr3: wanted 0.5445 to 4.5169 rad, found 0.4" in said


def test_a_home_pose_within_the_margin_of_a_limit_is_refused():
    near = [0.0, -0.7854, 0.0, -2.3562, 0.0, 0.6, 0.7854]
    assert "wanted 0.6445 to 4.4169 rad" in refused(cell(home={"joints_rad": near}))


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"limits": {"sped_m_s": 0.2}}, "sped_m_s: no such key; the nearest known is speed_m_s"),
        ({"limitz": {}}, "limitz: no such key; the nearest known is limits"),
        ({"limits": {"speed_m_s": "fast"}}, "limits.speed_m_s: wanted number, found 'fast'"),
        ({"limits": {"speed_m_s": float("nan")}}, "limits.speed_m_s: wanted"),
        ({"limits": {"speed_m_s": 3.5}}, "limits.speed_m_s: wanted 3.0 or less for fr3, found 3.5"),
        ({"limits": {"lead_m": 0.2}}, "limits.lead_m: wanted 0.1 or less"),
        ({"schema": 2}, "schema: wanted 1, found 2"),
        ({"model": "ur5"}, "model: wanted 'fr3' or 'panda', found 'ur5'"),
        ({"workspace": {"low_m": [0.5, -0.35, 0.02]}}, "workspace: wanted a box that holds home"),
        ({"workspace": {"low_m": [0.9, -0.35, 0.02]}}, "low_m below high_m"),
        ({"rates": {"setpoint_hz": 12}}, "rates.setpoint_hz: wanted a whole multiple"),
        ({"home": {"joints_rad": [0.0]}}, "home.joints_rad"),
        ({"name": "my cell"}, "name: wanted"),
    ],
)  # fmt: skip
def test_one_line_says_which_key_what_was_wanted_and_what_was_found(tables, said):
    data = cell(**{k: v for k, v in tables.items() if k != "limitz"})
    if "limitz" in tables:
        data["limitz"] = {}
    assert said in refused(data)


def test_an_unknown_key_of_a_camera_names_the_nearest():
    data = cell()
    data["cameras"][1]["widht_px"] = 96
    said = refused(data)
    assert "cameras.1.widht_px: no such key; the nearest known is width_px" in said


def test_two_cameras_of_one_name_are_refused():
    data = cell()
    data["cameras"][1]["name"] = "agentview"
    assert "wanted a name for each camera, found 'agentview' 2 times" in refused(data)


def test_a_key_that_lacks_is_named():
    data = cell()
    del data["frames"]["base"]
    assert refused(data).endswith("frames.base: wanted a value, found nothing; add the key")


def test_a_missing_and_a_foreign_file_are_one_line_each(tmp_path):
    with pytest.raises(ProfileError, match=re.escape("cannot be read: No such file")):
        load(str(tmp_path / "absent.toml"))
    image = tmp_path / "picture.toml"
    image.write_bytes(b"\x89PNG\r\n\x00\xff")
    with pytest.raises(ProfileError, match="is not TOML"):
        load(str(image))


def test_a_name_that_nothing_is_shipped_under_lists_what_is():
    with pytest.raises(ProfileError, match="shipped: franka, panda, tabletop"):
        load("frnka")


def test_a_copy_of_a_shipped_file_is_the_same_profile_and_a_change_another(tmp_path):
    text = find("franka").read_text()
    copy = tmp_path / "cell.toml"
    copy.write_text("# mine\n" + text)
    assert load(str(copy)).sha256 == load("franka").sha256
    copy.write_text(text.replace("speed_m_s = 0.25", "speed_m_s = 0.2"))
    assert load(str(copy)).sha256 != load("franka").sha256


def test_what_is_saved_reads_back_equal():
    profile = load("tabletop")
    assert from_dict(profile.to_dict(), "saved") == profile


def test_topics_stand_in_the_namespace_unless_they_are_absolute():
    topics = load("franka").topics.model_copy(update={"namespace": "left"})
    assert topics.full("target_pose") == "/left/target_pose"
    assert topics.full("/camera/image") == "/camera/image"
    assert load("franka").topics.full("target_pose") == "/target_pose"


def test_joints_may_be_called_otherwise_than_the_model_says():
    data = cell(frames={"joint_prefix": "left_fr3_joint"})
    assert from_dict(data, "x").joint_names[2] == "left_fr3_joint3"
    assert load("panda").joint_names[2] == "panda_joint3"
