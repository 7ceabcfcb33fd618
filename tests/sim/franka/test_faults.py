"""The line of words that says what is wrong with the simulated arm."""

import pytest

from agent.errors import UsageError
from sim.franka.faults import FAULTS, read

CAMERAS = ("agentview", "eye_in_hand")


def test_no_words_are_no_fault():
    faults = read("", CAMERAS)
    assert not any(faults.has(name, "agentview") for name in FAULTS)
    assert faults.mode == ""


def test_faults_are_read_with_their_strength_and_camera():
    faults = read("state_delayed=0.4, camera_black@agentview, stamps", CAMERAS)
    assert faults.strength("state_delayed") == 0.4
    assert faults.strength("stamps") == -5.0  # the usual one: five seconds in the past
    assert faults.has("camera_black", "agentview")
    assert not faults.has("camera_black", "eye_in_hand")
    assert not faults.has("camera_stale", "agentview")


def test_one_fault_may_be_at_two_cameras():
    faults = read("camera_frozen@agentview,camera_frozen@eye_in_hand", CAMERAS)
    assert all(faults.has("camera_frozen", camera) for camera in CAMERAS)


@pytest.mark.parametrize(
    ("fault", "mode"),
    [("reflex", "reflex"), ("user_stop", "user_stopped"), ("guiding", "guiding"), ("idle", "idle")],
)
def test_a_stopped_arm_has_a_mode_of_its_own(fault, mode):
    assert read(fault, CAMERAS).mode == mode


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("camera_blak", "did you mean 'camera_black'"),
        ("reflex=1", "takes no value"),
        ("stamps=soon", "takes seconds"),
        ("stamps=nan", "takes seconds"),
        ("state_delayed=-1", "takes seconds"),
        ("camera_black@left", "agentview, eye_in_hand"),
        ("reflex@agentview", "camera_stale"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(text, said):
    with pytest.raises(UsageError, match=said):
        read(text, CAMERAS)
