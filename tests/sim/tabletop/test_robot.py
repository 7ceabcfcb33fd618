import time

import numpy as np
import pytest

from agent.episode import Action, Terminated
from agent.errors import UsageError
from agent.settings import RobotSettings
from sim.tabletop.catalog import LANDMARKS, WISHES
from sim.tabletop.expert import TabletopExpert
from sim.tabletop.robot import Tabletop

OPEN = Action(np.zeros(6, np.float32), 1.0)
SHUT = Action(np.zeros(6, np.float32), 0.0)


@pytest.fixture(scope="module")
def seeing():
    robot = Tabletop(RobotSettings(image_px=96))
    yield robot
    robot.close()


def share_of(image, rgb):
    """Share of the pixels whose colour points the way rgb does, within 8 degrees."""
    pixels = image.reshape(-1, 3).astype(float) + 1e-3
    cosine = pixels @ rgb / np.linalg.norm(pixels, axis=1) / np.linalg.norm(rgb)
    return float((cosine > np.cos(np.radians(8))).mean())


@pytest.mark.parametrize("wish", WISHES, ids=lambda wish: wish.name)
def test_the_thing_asked_for_is_in_sight_of_agentview(seeing, task, wish):
    for start in (0, 45, 99):
        view = seeing.reset(task(wish.name, start))
        colour = seeing.world.things.get(wish.thing)
        rgb = np.array(colour.rgb if colour else (1.0, 0.45, 0.0))
        # 20 of 96 x 96 pixels: about a face of a cube, half hidden
        assert share_of(view.images["agentview"], rgb) > 20 / 96**2


def test_pictures_are_upright(seeing, task):
    image = seeing.reset(task()).images["agentview"]
    basket = seeing.world.model.geom("basket").rgba[:3]
    # the basket stands nearest the camera and on its right: low and right in the picture
    assert share_of(image[48:, 48:], basket) > 0.2
    assert share_of(image[48:, :48], basket) < 0.01
    assert share_of(image[:48], basket) < 0.01


def test_the_hand_sees_its_own_fingers(seeing, task):
    image = seeing.reset(task()).images["eye_in_hand"]
    # black pads right and left of the middle, and the plain table between them
    assert (image[20:40, :48].max(axis=2) < 40).any()
    assert (image[20:40, 48:].max(axis=2) < 40).any()
    assert (image[20:40, 44:52].min(axis=2) > 100).all()


def test_proprioception_says_where_the_tool_is_and_how_open_it_is(table, task):
    view = table.reset(task())
    assert view.proprio[:3] == pytest.approx(table.world.control.position, abs=1e-6)
    assert view.proprio[3:6] == pytest.approx([0, 0, 0], abs=1e-4)
    assert view.proprio[6:] == pytest.approx([1, 1], abs=0.01)


def test_the_hand_takes_eight_control_steps_to_close(table, task):
    table.reset(task())
    track = table.step([SHUT] * 12).track
    # the command runs for 0.4 s = 8 steps of 50 ms; the pads follow within two more
    assert track[3, 6] == pytest.approx(0.5, abs=0.15)
    assert track[6, 6] > 0.05
    assert track[9, 6] < 0.02
    assert (track[:, 7] == 0).all()


def test_a_turn_about_the_vertical_turns_the_hand(table, task):
    table.reset(task())
    turning = Action(np.array([0, 0, 0, 0, 0, 0.4], np.float32), 1.0)
    last = table.step([turning] * 3 + [OPEN] * 10).observation.proprio
    # three moves of 0.4 x 0.5 rad add up: the orientation goal starts from the last one
    assert last[3:6] == pytest.approx([0, 0, 0.6], abs=0.02)


def test_a_held_tool_does_not_sink(table, task):
    before = table.reset(task()).proprio
    after = table.step([OPEN] * 40).observation.proprio
    assert after[:3] == pytest.approx(before[:3], abs=1e-4)


def test_privileged_positions_are_those_of_the_landmarks(table, task):
    view = table.reset(task("stack-red-cube-purple-cube"))
    marks = view.privileged.reshape(len(LANDMARKS), 3)
    named = dict(zip(LANDMARKS, marks, strict=True))
    assert named["target"] == pytest.approx(named["red-cube"])
    assert named["place"] == pytest.approx(named["purple-cube"])
    assert named["tool"] == pytest.approx(view.proprio[:3])
    assert named["red-cube"] == pytest.approx(table.world.where("red-cube"), abs=1e-6)


def test_success_ends_the_episode_within_a_chunk(table, task):
    table.reset(task("reach-red-cube", 0, 60))
    expert = TabletopExpert(table)
    for _ in range(60):
        move = expert.label()
        reading = table.step([move, move])
        if reading.ending:
            break
    assert reading.ending == Terminated("success")
    assert len(reading.applied) == len(reading.track)
    assert reading.executed.sum() == len(reading.applied)


def test_an_opening_out_of_range_is_cut_and_said_to_be(table, task):
    table.reset(task())
    reading = table.step([Action(np.zeros(6, np.float32), 1.7)])
    assert reading.applied[0].gripper == 1.0
    assert not reading.executed[0]


def test_no_action_at_all_is_refused(table, task):
    table.reset(task())
    with pytest.raises(UsageError, match="one action"):
        table.step([])


def test_a_camera_nobody_has_is_refused():
    with pytest.raises(UsageError, match="sideview"):
        Tabletop(RobotSettings(), cameras=("sideview",))


def test_a_reset_takes_less_than_20_ms(seeing, task):
    seeing.reset(task())
    spent = []
    for start in range(9):
        began = time.process_time()
        seeing.reset(task(start=start))
        spent.append(time.process_time() - began)
    # the median of processor time: another process on the machine does not count
    assert sorted(spent)[4] < 0.020
