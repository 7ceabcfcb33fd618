"""Robots in processes of their own, and the tries that one policy makes with all of them."""

import os
import signal

import numpy as np
import pytest

from agent.episode import Action, Observation, Task, Terminated
from agent.errors import RobotFault
from agent.evaluation import try_tasks
from agent.lanes import Lane, _draw_on
from agent.settings import RobotSettings
from agent.side_by_side import try_beside
from tests.creeper import Creeper
from tests.point_robot import PX, PointRobot

SETTINGS = RobotSettings(name="tests.suited_robot:SuitedRobot", image_px=PX)


@pytest.fixture
def lanes():
    made = [Lane(SETTINGS, cameras=2) for _ in range(2)]
    for lane in made:
        lane.start()
    yield made
    for lane in made:
        lane.close()
        lane.close()


def tasks(starts):
    return [Task(f"points/{n}", "go right", start, 4) for n in range(2) for start in starts]


def test_two_lanes_come_to_what_one_robot_comes_to(lanes):
    alone = PointRobot(RobotSettings())
    # 0.2 x 0.1 a step is beyond 0.05 after three steps; 0.1 x 0.1 never within four
    for speed, won in ((0.2, True), (0.1, False)):
        told = []
        found = try_beside(lanes, Creeper(speed), tasks(range(3)), told.append)
        wanted = try_tasks(alone, Creeper(speed), tasks(range(3)))
        assert sorted(found, key=lambda t: (t.task, t.start)) == list(wanted)
        assert list(found) == told
        assert {trial.success for trial in found} == {won}


def test_a_lane_gives_the_pictures_of_the_robot_itself_and_never_alters_one_it_gave(lanes):
    lane, alone = lanes[0], PointRobot(RobotSettings())
    move = [Action(np.array([0.6, 0, 0, 0, 0, 0], np.float32), 1.0)]
    given = []
    for start in (3, 5):
        task = Task("points/0", "go right", start, 4)
        lane.reset(task)
        view, mine = lane.answer(), alone.reset(task)
        assert isinstance(view, Observation)
        given.append((view, mine))
    lane.step(move)
    reading = lane.answer()
    given.append((reading.observation, alone.step(move).observation))
    assert reading.ending == Terminated("success")
    for theirs, mine in given:
        assert theirs.images.keys() == mine.images.keys()
        for camera, image in mine.images.items():
            np.testing.assert_array_equal(theirs.images[camera], image)
        np.testing.assert_array_equal(theirs.proprio, mine.proprio)


def test_a_fault_of_a_lanes_robot_is_raised_where_it_is_waited_for(lanes):
    with pytest.raises(RobotFault, match="fell off the line"):
        try_beside(lanes, Creeper(0.2), tasks([7]))


def test_a_lane_whose_process_died_is_a_robot_fault_and_not_a_wait_for_ever(lanes):
    os.kill(lanes[0]._process.pid, signal.SIGKILL)
    with pytest.raises(RobotFault, match=r"ended by itself|is gone"):
        try_beside(lanes, Creeper(0.2), tasks([1]))


def test_stopping_ends_the_tries_and_what_was_under_way_does_not_count(lanes):
    trials = []
    try_beside(lanes, Creeper(0.2), tasks(range(6)), trials.append, lambda: len(trials) >= 2)
    assert 2 <= len(trials) <= 3


def test_a_lane_that_nobody_waits_for_ends_in_silence(capfd):
    lane = Lane(SETTINGS, cameras=2)
    lane.start()
    lane.reset(tasks([1])[0])
    process = lane._process
    lane.close()  # before its robot has been built
    assert process.exitcode == 0
    assert capfd.readouterr().err == ""


def test_lanes_take_turns_on_the_gpus_and_a_choice_already_made_stays(tmp_path, monkeypatch):
    monkeypatch.delenv("MUJOCO_EGL_DEVICE_ID", raising=False)
    (tmp_path / "0000:01:00.0").mkdir()
    _draw_on(3, tmp_path)
    assert "MUJOCO_EGL_DEVICE_ID" not in os.environ  # one GPU is no choice
    (tmp_path / "0000:02:00.0").mkdir()
    _draw_on(3, tmp_path)
    assert os.environ["MUJOCO_EGL_DEVICE_ID"] == "1"
    _draw_on(2, tmp_path)
    assert os.environ["MUJOCO_EGL_DEVICE_ID"] == "1"
    monkeypatch.delenv("MUJOCO_EGL_DEVICE_ID")
