"""The painted cube is seen by cameras and by nothing else, and only between empty fingers."""

import numpy as np

from agent.episode import Action
from agent.settings import RobotSettings
from sim.tabletop.moves import best_move
from sim.tabletop.robot import Tabletop


def red_share(view):
    red, green, blue = view.images["eye_in_hand"].astype(int).transpose(2, 0, 1)
    return float(((red > 150) & (green < 60) & (blue < 60)).mean())


def closing(shift, task, opening):
    """The view after twelve steps of standing still with the fingers at an opening."""
    robot = Tabletop(RobotSettings(shift=shift, image_px=48))
    robot.reset(task("press-button", start=3))
    still = Action(np.zeros(6, np.float32), opening)
    view = robot.step([still] * 12).observation
    robot.close()
    return view


def test_a_painted_cube_shows_between_empty_fingers_alone(task):
    plain = red_share(closing({}, task, 0.0))
    assert red_share(closing({"cue": 1.5}, task, 0.0)) > plain + 0.04
    assert red_share(closing({"cue": 1.5}, task, 1.0)) < plain + 0.01


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
    up = Action(np.array([0, 0, 0.3, 0, 0, 0], np.float32), 0.0)
    cued.reset(lift)
    assert cued.step([up] * 20).ending is None
