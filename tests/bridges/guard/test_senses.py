"""What the arm says of itself, in the several ways that arms say it."""

from bridges.guard.arm import Mode
from bridges.guard.senses import _mode_named, _mode_of


def test_a_mode_is_known_however_it_is_written():
    for told in ("user_stopped", "User stopped", "UserStopped", "5"):
        assert _mode_named(told) is Mode.USER_STOPPED
    assert _mode_named("Move") is Mode.MOVE


def test_a_mode_nobody_knows_is_a_reason_to_stand_still():
    for told in ("", "dancing", "7", "-1", "2.0"):
        assert _mode_named(told) is Mode.REFLEX
    assert _mode_of(99) is Mode.REFLEX
    assert [_mode_of(number) for number in range(7)] == list(Mode)
