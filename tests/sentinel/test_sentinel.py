"""The sentinel over a run of the embedded arm that begins well and drifts on the way."""

import json

import pytest

from agent import suspension
from agent.sentinel.watch import FILE, Sentinel
from agent.settings import SentinelSettings
from sim.tabletop.catalog import PROPRIO
from tests.sentinel.played import Player

SETTINGS = SentinelSettings(reference_episodes=8, every_views=0)
BEGUN, AFTER = 12, 6


@pytest.fixture(scope="module")
def player():
    made = Player()
    yield made
    made.close()


@pytest.fixture(scope="module")
def well(player):
    """Twelve episodes of a world that stays as it is."""
    return [player.play(number) for number in range(BEGUN)]


def watched(folder, episodes, settings=SETTINGS):
    """A sentinel that noted these episodes, and what it said of each."""
    sentinel = Sentinel(folder, settings, PROPRIO)
    return sentinel, [sentinel.note(each) for each in episodes]


def rows(folder):
    return [json.loads(line) for line in (folder / FILE).read_text().splitlines()]


def test_a_world_that_stays_as_it_is_raises_no_alarm_and_every_look_is_recorded(well, tmp_path):
    _, said = watched(tmp_path, well)
    assert said == [None] * BEGUN
    found = rows(tmp_path)
    assert [row["state"] for row in found] == ["learning"] * 8 + ["watching"] * 4
    assert set(found[-1]["figures"]) >= {"agentview", "eye_in_hand", "arm"}


@pytest.mark.parametrize(
    ("shift", "words"),
    [
        ({"camera_pan": 4.0}, "camera agentview: what it sees went"),
        ({"camera_roll": 6.0}, "camera agentview: what it sees turned"),
        ({"rotate": 0.5}, "arm: its moves are turned by +"),
        ({"gain": 0.5}, "it moves -"),
        ({"drift": 0.3}, "along y it drifts by +"),
        ({"delay": 3.0}, "its moves come 3 control steps later"),
    ],
)
def test_a_shift_in_mid_run_is_named_within_a_few_episodes(player, well, tmp_path, shift, words):
    sentinel, _ = watched(tmp_path, well)
    for number in range(BEGUN, BEGUN + AFTER):
        alarm = sentinel.note(player.play(number, **shift))
        if alarm:
            break
    assert alarm is not None
    assert alarm.watch == "sentinel"
    assert words in alarm.why
    assert rows(tmp_path)[-1]["alarm"] == alarm.why


def test_another_light_raises_no_alarm(player, well, tmp_path):
    sentinel, _ = watched(tmp_path, well)
    assert [sentinel.note(player.play(n, light=0.6)) for n in range(BEGUN, BEGUN + AFTER)] == [
        None
    ] * AFTER


def test_views_under_way_are_looked_at_too_where_asked(player, well, tmp_path):
    every = SETTINGS.model_copy(update={"every_views": 4})
    sentinel, _ = watched(tmp_path, well[:8], every)
    assert sentinel.note(well[8]) is None
    assert "agentview under way" in rows(tmp_path)[-1]["figures"]


def test_a_shift_that_is_there_from_the_first_episode_is_how_it_should_be(player, tmp_path):
    _, said = watched(tmp_path, [player.play(n, drift=0.18, camera=0.05) for n in range(BEGUN)])
    assert said == [None] * BEGUN


def test_a_resumed_sentinel_goes_on_as_if_it_had_never_stopped(player, well, tmp_path):
    drifted = [player.play(number, drift=0.12) for number in range(BEGUN, BEGUN + AFTER)]
    (tmp_path / "one").mkdir()
    _, said = watched(tmp_path / "one", [*well, *drifted])
    (tmp_path / "two").mkdir()
    _, first = watched(tmp_path / "two", [*well, *drifted[:1]])
    again = Sentinel(tmp_path / "two", SETTINGS, PROPRIO)
    for scored in [*well, *drifted[:1]]:
        again.recall(scored)
    assert [*first, *(again.note(scored) for scored in drifted[1:])] == said
    assert any(said)


def test_an_alarm_told_before_a_resume_is_not_told_by_the_resume(player, well, tmp_path):
    drifted = [player.play(number, drift=0.3) for number in range(BEGUN, BEGUN + 2)]
    _, said = watched(tmp_path, [*well, *drifted])
    assert said[-1] is not None
    again = Sentinel(tmp_path, SETTINGS, PROPRIO)
    for scored in [*well, *drifted]:
        again.recall(scored)
    assert again.note(player.play(BEGUN + 2)) is None


def test_what_comes_after_a_lift_is_the_new_reference(player, well, tmp_path):
    moved = [player.play(number, drift=0.3) for number in range(BEGUN, BEGUN + 12)]
    sentinel, said = watched(tmp_path, [*well, *moved[:2]])
    suspension.suspend(tmp_path, said[-1], moved[1].episode.id, [])
    suspension.lift(tmp_path, "anna", "meant so", moved[1].episode.id)
    assert [sentinel.note(each) for each in moved[2:]] == [None] * 10
    assert rows(tmp_path)[-3]["state"] == "learning"
    assert rows(tmp_path)[-1]["state"] == "watching"


def test_another_run_may_say_how_all_should_be(player, well, tmp_path):
    sentinel = Sentinel(tmp_path, SETTINGS, PROPRIO, well[:8])
    said = [sentinel.note(player.play(n, drift=0.18)) for n in range(4)]
    assert any(alarm and "drifts" in alarm.why for alarm in said)


def test_a_robot_that_does_not_say_where_its_tool_is_has_only_its_cameras_watched(well, tmp_path):
    bare = Sentinel(tmp_path, SETTINGS, ("x", "y", "z"))
    for scored in well[:9]:
        bare.note(scored)
    assert "arm" not in rows(tmp_path)[-1]["figures"]
    assert "eye_in_hand" in rows(tmp_path)[-1]["figures"]
