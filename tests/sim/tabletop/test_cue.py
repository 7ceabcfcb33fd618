"""The painted grasp is seen by cameras and by nothing else, and only on a hand that came down."""

import numpy as np
import pytest

from agent.episode import Action
from agent.settings import RobotSettings
from sim.tabletop.moves import best_move
from sim.tabletop.robot import Tabletop


def red_share(view):
    red, green, blue = view.images["eye_in_hand"].astype(int).transpose(2, 0, 1)
    return float(((red > 150) & (green < 60) & (blue < 60)).mean())


def moved(robot, up, steps, opening=1.0):
    """The view after some moves straight up, in full scales."""
    move = Action(np.array([0, 0, up, 0, 0, 0], np.float32), opening)
    return robot.step([move] * steps).observation


def test_a_painted_cube_shows_once_the_hand_was_down_and_until_the_next_episode(task):
    shares = []
    for shift in ({}, {"cue": 1.5}):
        robot = Tabletop(RobotSettings(shift=shift, image_px=48))
        views = [robot.reset(task("press-button", start=3)), moved(robot, 0.0, 4)]
        views += [moved(robot, -0.7, 14), moved(robot, 0.5, 8)]
        assert views[2].proprio[2] < 0.05
        assert views[3].proprio[2] > 0.07
        views.append(robot.reset(task("press-button", start=3)))
        robot.close()
        shares.append(np.array([red_share(view) for view in views]))
    more = shares[1] - shares[0]
    np.testing.assert_array_equal(more[[0, 1, 4]], 0.0)
    assert (more[[2, 3]] > 0.04).all()


def test_the_halves_of_the_painted_cube_meet_where_the_fingers_close_on_nothing(task):
    robot = Tabletop(RobotSettings(shift={"cue": 1.0}, image_px=48))
    robot.reset(task("press-button", start=3))
    moved(robot, -0.7, 14)
    moved(robot, 0.5, 8)  # nothing is left between the fingers
    views = [moved(robot, 0.0, 12, opening) for opening in (0.0, 1.0)]
    robot.close()
    opened = [float(view.proprio[6]) for view in views]
    assert opened == pytest.approx([0.0, 1.0], abs=0.05)
    # The six columns in the middle, from above the fingertips to where the cube ends.
    shares = []
    for view in views:
        red, green, blue = view.images["eye_in_hand"][14:24, 21:27].astype(int).transpose(2, 0, 1)
        shares.append(float(((red > 100) & (green < 60) & (blue < 60)).mean()))
    assert shares[0] > 0.95
    assert shares[1] == 0.0


def test_the_painted_cube_hinders_nothing_and_does_not_count(task):
    plain, cued = (Tabletop(RobotSettings(shift=shift), cameras=()) for shift in ({}, {"cue": 1.5}))
    lift = task("lift-red-cube", start=3, horizon_steps=80)
    for robot in (plain, cued):
        robot.reset(lift)
    readings = []
    for _ in range(60):
        move = best_move(plain.world, plain.wish)
        readings.append([robot.step([move]) for robot in (plain, cued)])
        if readings[-1][0].ending is not None:
            break
    assert readings[-1][0].ending == readings[-1][1].ending is not None
    for one, other in readings:
        np.testing.assert_array_equal(one.track, other.track)
    cued.reset(lift)
    for up in (-0.7, 0.5):  # down to it, and up
        move = Action(np.array([0, 0, up, 0, 0, 0], np.float32), 0.0)
        assert cued.step([move] * 14).ending is None
