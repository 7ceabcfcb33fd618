"""The sentinel before rendered pictures of a board: what is told of a camera that was moved."""

import math
import re

import numpy as np
import pytest

from agent.episode import Decision, Episode, Observation, ScoredEpisode, Step, Task, Truncated
from agent.sentinel.cameras import CameraWatch
from agent.sentinel.watch import Sentinel
from agent.settings import SentinelSettings
from benchmarks.board_scene import TRUE, BoardScene, Picture
from calibration.board import Board
from calibration.marks import standing
from calibration.rigid import inverse, motion
from calibration.sightline import Sightline
from tests.sentinel.played import SIGNAL

BOARD = Board()
SETTINGS = SentinelSettings(every_views=0)
DISTANCE_M = 0.45
SIGHT = Sightline(float(TRUE.matrix[0, 0]), DISTANCE_M)
# The board's middle 0.45 m ahead, the camera square to it.
MIDDLE = motion(
    [0, 0, 0], [-BOARD.columns * BOARD.square_m / 2, -BOARD.rows * BOARD.square_m / 2, DISTANCE_M]
)
AWAY = motion([0, 0, 0], [5.0, 0.0, DISTANCE_M])


@pytest.fixture(scope="module")
def pictures():
    """Draws the board from a camera moved in its own frame, under light that comes and goes."""
    scene, rng = BoardScene(BOARD), np.random.default_rng(3)

    def draw(moved=None, board=MIDDLE):
        seen = board if moved is None else inverse(moved) @ board
        return scene.look(seen, rng, Picture(light=rng.uniform(0.6, 1.2)))

    yield draw
    scene.close()


@pytest.fixture(scope="module")
def begun(pictures):
    return [pictures() for _ in range(SETTINGS.reference_episodes)]


def alarm_of(begun, seen):
    """What a watch that began so says after these pictures, and how far the figures are off."""
    watch = CameraWatch("front", SETTINGS, SIGHT)
    watch.learn(begun)
    for each in seen:
        watch.look([each])
    return watch.alarmed, watch.off


def test_markers_that_stand_still_are_found_by_themselves(begun, pictures):
    found = standing(begun)
    assert len(found.known) == BOARD.columns * BOARD.rows // 2
    assert standing([pictures(board=AWAY) for _ in range(3)]) is None


def test_a_board_that_lies_elsewhere_each_time_is_not_leant_on(pictures):
    places = [motion([0, 0, 0.1 * n], MIDDLE[:3, 3] + [0.01 * n, 0, 0]) for n in range(5)]
    assert standing([pictures(board=each) for each in places]) is None


def test_a_turned_camera_is_told_in_pixels_and_degrees(begun, pictures):
    turned = motion([0.0, math.radians(2.0), 0.0], [0, 0, 0])
    said, off = alarm_of(begun, [pictures(turned) for _ in range(3)])
    # 605 px times the tangent of 2 degrees is 21.1 px; turned to the right, the scene goes left.
    assert off["right_px"] == pytest.approx(-21.1, abs=0.6)
    assert off["pan_deg"] == pytest.approx(2.0, abs=0.06)
    assert "camera front: what it sees went 21" in said
    assert "px left (the camera turned 2.0 deg or moved 16 mm right)" in said


def test_a_moved_camera_is_told_in_millimetres(begun, pictures):
    said, off = alarm_of(begun, [pictures(motion([0, 0, 0], [0, 0.015, 0.03])) for _ in range(3)])
    assert off["down_mm"] == pytest.approx(15.0, abs=1.5)
    assert off["ahead_mm"] == pytest.approx(30.0, abs=1.0)
    assert re.search(r"% larger \(the camera moved (29|30) mm ahead\)", said)
    assert re.search(r"px up \(the camera turned 2.[01] deg or moved 16 mm down\)", said)


def test_other_light_is_borne_and_a_board_that_is_gone_is_told(begun, pictures):
    assert alarm_of(begun, [pictures() for _ in range(6)])[0] == ""
    said, off = alarm_of(begun, [pictures(board=AWAY) for _ in range(3)])
    assert "camera front: its view is unlike the reference" in said
    assert off["right_px"] == 0.0


def test_a_run_is_suspended_by_what_its_markers_tell(begun, pictures, tmp_path):
    rolled = motion([0.0, 0.0, math.radians(4.0)], [0, 0, 0])
    sentinel = Sentinel(tmp_path, SETTINGS, ())
    seen = [*begun, *(pictures(rolled) for _ in range(3))]
    said = [sentinel.note(episode(n, picture)) for n, picture in enumerate(seen)]
    alarms = [each for each in said if each]
    assert said[: len(begun) + 1] == [None] * (len(begun) + 1)
    # The camera turned clockwise, what it sees counterclockwise.
    assert alarms[0].why.startswith("camera front: what it sees turned 4.0 deg counterclockwise")
    assert alarms[0].facts["front/turn_deg"] == pytest.approx(-4.0, abs=0.1)


def episode(number, picture):
    """An episode of one step that shows this picture first."""
    view = Observation({"front": picture}, np.zeros(0, np.float32), "", 0.0)
    none = Decision((), np.zeros(0, np.int16), np.zeros(0, np.float32), "base", 0.0)
    step = Step(view, none, (), np.zeros(0, np.bool_), np.zeros((0, 0), np.float32))
    task = Task("look", "look", number, 1)
    made = Episode(f"{number:06d}", task, "base", 0.0, (step,), view, Truncated("timeout"))
    return ScoredEpisode(made, SIGNAL)
