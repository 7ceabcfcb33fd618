"""The arm without physics: it follows as an arm would, and no faster."""

import numpy as np
import pytest

from agent.errors import UsageError
from calibration.franka import FR3, PANDA, forward
from sim.franka.body import TICK_S
from sim.franka.kinematic import KinematicBody
from sim.franka.pose import Pose
from sim.tabletop.arm import turn, turned

HOME = (0.0, -0.7854, 0.0, -2.3562, 0.0, 1.5708, 0.7854)


@pytest.fixture(params=[FR3, PANDA], ids=lambda model: model.name)
def body(request):
    return KinematicBody(request.param, HOME, ("above", "front"), 32)


def beside(pose, x, y, z):
    return Pose(pose.position + np.array([x, y, z]), pose.axes)


def live(body, seconds):
    for _ in range(round(seconds / TICK_S)):
        body.tick()


def test_joints_and_pose_tell_of_the_same_tool(body):
    body.follow(beside(body.home, 0.05, 0.0, 0.0))
    live(body, 0.1)
    felt = body.felt()
    position, axes = forward(felt.joints)
    assert felt.pose.position == pytest.approx(position)
    assert felt.pose.axes == pytest.approx(axes)


def test_a_target_is_reached_and_held(body):
    axes = turned(np.array([0.0, 0.0, 0.4])) @ body.home.axes
    target = Pose(beside(body.home, 0.04, -0.10, -0.06).position, axes)
    body.follow(target)
    live(body, 1.5)
    assert body.felt().pose.position == pytest.approx(target.position, abs=1e-3)
    assert body.felt().pose.axes == pytest.approx(axes, abs=1e-2)
    live(body, 1.0)
    assert body.felt().pose.position == pytest.approx(target.position, abs=1e-3)


def test_it_lags_behind_a_target_as_a_first_order_system_does(body):
    body.follow(beside(body.home, 0.02, 0.0, 0.0))
    live(body, 0.06)  # one time constant: 1 - 1/e of the way
    moved = body.felt().pose.position[0] - body.home.position[0]
    assert moved == pytest.approx(0.02 * (1 - np.exp(-1)), rel=0.05)


def test_a_target_far_away_pulls_no_harder_than_one_at_the_clip(body):
    # 0.1 m is the clip. Unclipped, 5 m of way would leave the turn of 0.4 rad a fiftieth of each
    # tick that the joints' speed allows: 0.1 s would turn the hand by far less than 0.01 rad.
    axes = turned(np.array([0.0, 0.0, 0.4])) @ body.home.axes
    body.follow(Pose(beside(body.home, 0.0, 5.0, 0.0).position, axes))
    live(body, 0.1)
    done = turn(body.felt().pose.axes @ body.home.axes.T)
    assert done[2] > 0.1


def test_joints_stay_within_their_range_and_speed(body):
    model = body._model
    body.follow(Pose(np.array([1.5, 1.5, -1.0]), body.home.axes))
    for _ in range(300):
        body.tick()
        felt = body.felt()
        assert (felt.joints >= np.array(model.low_rad)).all()
        assert (felt.joints <= np.array(model.high_rad)).all()
        assert (np.abs(felt.speeds) <= np.array(model.speed_rad_s) + 1e-6).all()


def test_the_same_start_state_is_the_same_and_another_is_not(body):
    body.reset("lift", 3, 0)
    first, seen = body.felt(), body.painter().draw(body.sight(), "above")
    body.follow(beside(body.home, 0.1, 0.0, 0.0))
    body.grip(0.0)
    live(body, 0.3)
    body.reset("lift", 3, 0)
    assert body.felt().joints == pytest.approx(first.joints, abs=0)
    assert body.felt().opening == 1.0
    assert (body.painter().draw(body.sight(), "above") == seen).all()
    body.reset("lift", 4, 0)
    assert np.abs(body.felt().joints - first.joints).max() > 1e-3


def test_the_hand_takes_its_time(body):
    body.grip(0.0)
    live(body, 0.2)
    assert body.felt().opening == pytest.approx(0.5, abs=1e-9)
    live(body, 0.3)
    assert body.felt().opening == 0.0


def test_the_goal_is_met_at_the_mark_alone(body):
    assert not body.met()
    mark = body.sight().parts["mark"]
    body.follow(Pose(mark, body.home.axes))
    live(body, 2.0)
    assert body.met()


def test_a_start_state_below_nought_is_unknown(body):
    with pytest.raises(UsageError, match="from 0"):
        body.reset("lift", -1, 0)
