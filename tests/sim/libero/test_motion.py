import numpy as np
import pytest

from sim.libero.motion import Move, action, downward, fly, pointing, turn_to
from sim.libero.world import Pose

DOWN = downward(np.pi / 2)
STILL = np.zeros(3)


def at(*point: float) -> Pose:
    return Pose(np.array(point), DOWN)


def wall(height: float) -> np.ndarray:
    """A thin wall across x = 0.2."""
    return np.array([[0.2, y, height] for y in np.linspace(-0.3, 0.3, 61)])


def test_a_wall_on_the_way_is_risen_over_first():
    point = fly(at(0, 0, 0.1), np.array([0.4, 0, 0.1]), wall(0.3))
    # the wall, 1.2 cm of finger and 2 cm of room: 0.332; straight up until near that height
    np.testing.assert_allclose(point, [0, 0, 0.332])


def test_above_the_wall_the_hand_goes_level_and_beyond_it_down():
    goal = np.array([0.4, 0, 0.1])
    np.testing.assert_allclose(fly(at(0, 0, 0.33), goal, wall(0.3)), [0.4, 0, 0.332])
    np.testing.assert_allclose(fly(at(0.4, 0, 0.33), goal, wall(0.3)), goal)


def test_a_wall_beside_the_way_is_left_alone():
    aside = wall(0.3) + np.array([0, 0.6, 0])  # y from 0.3 on, further than the palm reaches
    point = fly(at(0, 0, 0.1), np.array([0.4, 0, 0.1]), aside)
    np.testing.assert_allclose(point, [0.4, 0, 0.1])


def test_what_hangs_from_the_hand_is_carried_over_too():
    held = np.array([[0, 0, 0.0], [0, 0, 0.1]])  # hangs 10 cm below the tool
    point = fly(at(0, 0, 0.1), np.array([0.4, 0, 0.1]), wall(0.3), held)
    # 0.3 + 0.1 + 0.02
    np.testing.assert_allclose(point, [0, 0, 0.42])


def test_a_far_goal_is_flown_to_straight_at_full_scale():
    move = Move(np.array([0.4, 0.2, 0]), DOWN, 1.0)
    done = action(at(0, 0, 0), STILL, move)
    np.testing.assert_allclose(done.delta, [1, 0.5, 0, 0, 0, 0], atol=1e-6)


def test_a_hand_already_on_its_way_is_asked_for_less():
    # 1 cm off, at 0.1 m/s: 5 mm of it are done in the next 50 ms; half is left to ask for.
    move = Move(np.array([0.01, 0, 0]), DOWN, 1.0)
    slow = action(at(0, 0, 0), STILL, move).delta[0]
    fast = action(at(0, 0, 0), np.array([0.1, 0, 0]), move).delta[0]
    assert fast == pytest.approx(slow / 2)


def test_a_pose_is_a_rotation_and_turning_to_itself_is_nothing():
    pose = pointing(np.array([0, -1.0, 0]), np.array([0, 0, 1.0]))
    np.testing.assert_allclose(pose @ pose.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(pose) == pytest.approx(1.0)
    np.testing.assert_allclose(turn_to(pose, pose), 0, atol=1e-9)
    # from straight down to straight ahead is a quarter turn
    ahead = pointing(np.array([0, -1.0, 0]), np.array([1.0, 0, 0]))
    assert np.linalg.norm(turn_to(downward(0.0), ahead)) == pytest.approx(np.pi / 2)
