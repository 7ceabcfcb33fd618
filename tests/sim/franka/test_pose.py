"""Poses: quaternions as ROS writes them, and how far towards a goal."""

import math

import numpy as np
import pytest

from sim.franka.pose import Pose, axes_of, quaternion_of, towards

HALF = math.sqrt(0.5)


def test_a_quarter_turn_about_z_is_the_quaternion_that_ros_writes_for_it():
    # x to y, y to -x: half angle 45 degrees, so (0, 0, sin 45, cos 45)
    axes = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    assert quaternion_of(axes) == pytest.approx((0.0, 0.0, HALF, HALF))
    assert axes_of(np.array([0.0, 0.0, HALF, HALF])) == pytest.approx(axes)


def test_a_tool_that_points_straight_down_is_half_a_turn():
    down = np.diag([1.0, -1.0, -1.0])
    assert np.abs(quaternion_of(down)) == pytest.approx((1.0, 0.0, 0.0, 0.0), abs=1e-12)
    assert axes_of(np.array(quaternion_of(down))) == pytest.approx(down, abs=1e-12)


def test_a_quaternion_and_its_opposite_turn_alike():
    turn = np.array([0.1, -0.7, 0.2, 0.6]) / math.sqrt(0.9)
    assert axes_of(-turn) == pytest.approx(axes_of(turn))


@pytest.mark.parametrize("quaternion", [(0, 0, 0, 0), (0, 0, 0, 2), (0, 0, math.nan, 1)])
def test_what_is_no_turn_is_refused(quaternion):
    assert axes_of(np.array(quaternion, float)) is None


def test_a_goal_too_far_is_brought_nearer_along_its_line():
    start = Pose(np.zeros(3), np.eye(3))
    turned = axes_of(np.array([0.0, 0.0, math.sin(0.5), math.cos(0.5)]))  # 1 rad about z
    near = towards(start, Pose(np.array([3.0, 4.0, 0.0]), turned), 0.1, 0.5)
    # 5 m long: 0.1 m of it is 0.06, 0.08; half of the radian is left
    assert near.position == pytest.approx([0.06, 0.08, 0.0])
    assert near.axes[:2, 0] == pytest.approx([math.cos(0.5), math.sin(0.5)])
