import numpy as np
import pytest

from sim.tabletop.arm import DOWN, forward, joints_for, turn, turned


def test_a_straight_arm_is_as_high_as_its_links_add_up_to():
    # all joints 0: 0.333 + 0.316 + 0.384 up, then joint 7's 0.107 + 0.1034 point down;
    # sideways 0.088 from the base at x = -0.5
    position, hand, _ = forward(np.zeros(7))
    assert position == pytest.approx([-0.5 + 0.088, 0.0, 1.033 - 0.2104], abs=1e-12)
    assert hand[:, 2] == pytest.approx([0.0, 0.0, -1.0], abs=1e-12)


def test_the_jacobian_is_the_derivative_of_the_position():
    joints = np.array([0.3, -0.4, 0.2, -2.1, 0.1, 2.0, 0.5])
    position, hand, jacobian = forward(joints)
    for n in range(7):
        moved, hand_moved, _ = forward(joints + 1e-6 * np.eye(7)[n])
        assert (moved - position) / 1e-6 == pytest.approx(jacobian[:3, n], abs=1e-5)
        assert turn(hand_moved @ hand.T) / 1e-6 == pytest.approx(jacobian[3:, n], abs=1e-5)


def test_joints_found_for_a_place_hold_the_tool_there_straight_down():
    place = np.array([0.1, -0.1, 0.05])
    position, hand, _ = forward(joints_for(place))
    assert position == pytest.approx(place, abs=1e-6)
    assert hand == pytest.approx(DOWN, abs=1e-5)


def test_a_place_out_of_reach_is_refused():
    # 1.5 m ahead of a base with 0.855 m of reach
    with pytest.raises(ValueError, match="cannot hold"):
        joints_for(np.array([1.0, 0.0, 0.1]))


@pytest.mark.parametrize(
    "vector", [(0.0, 0.0, 0.0), (0.3, -0.2, 0.9), (1e-9, 0.0, 0.0), (0.0, 3.0, 0.0)]
)
def test_a_rotation_vector_survives_its_matrix(vector):
    assert turn(turned(np.array(vector))) == pytest.approx(vector, abs=1e-9)


def test_half_a_turn_has_length_pi():
    assert np.linalg.norm(turn(np.diag([-1.0, -1.0, 1.0]))) == pytest.approx(np.pi)
