import numpy as np
import pytest

from calibration.franka import (
    FR3,
    PANDA,
    forward,
    jacobian,
    least_singular,
    speed_limits,
)

HOME = (0.0, -np.pi / 4, 0.0, -3 * np.pi / 4, 0.0, np.pi / 2, np.pi / 4)


def test_all_joints_at_nought_give_the_pose_of_the_drawing():
    # x: the wrist's offset 0.088. z: 0.333 + 0.316 + 0.384 - 0.107 - 0.1034 = 0.8226.
    # The hand looks down and is turned by 45 degrees about that.
    position, axes = forward(np.zeros(7))
    assert position == pytest.approx([0.088, 0.0, 0.8226], abs=1e-12)
    c = np.sqrt(0.5)
    assert axes == pytest.approx(np.array([[c, c, 0], [c, -c, 0], [0, 0, -1]]), abs=1e-12)


def test_the_usual_home_pose_looks_straight_down_from_where_the_drawing_says():
    # Upper arm 45 degrees back, forearm level, wrist down, s = sin 45:
    # x = (0.0825 - 0.316) s + 0.384 + 0.088 = 0.3069
    # z = 0.333 + (0.316 + 0.0825) s + 0.0825 - 0.107 - 0.1034 = 0.4869
    position, axes = forward(HOME)
    assert position == pytest.approx([0.30689, 0.0, 0.48688], abs=1e-5)
    assert axes == pytest.approx(np.diag([1.0, -1.0, -1.0]), abs=1e-12)


def test_the_jacobian_is_the_derivative_of_the_pose():
    rng, step = np.random.default_rng(0), 1e-6
    for _ in range(20):
        joints = rng.uniform(PANDA.low_rad, PANDA.high_rad)
        numeric = np.zeros((6, 7))
        for number in range(7):
            nudge = np.zeros(7)
            nudge[number] = step
            (p1, r1), (p0, r0) = forward(joints + nudge), forward(joints - nudge)
            spin = (r1 @ r0.T - (r1 @ r0.T).T) / (4 * step)
            numeric[:3, number] = (p1 - p0) / (2 * step)
            numeric[3:, number] = spin[2, 1], spin[0, 2], spin[1, 0]
        assert jacobian(joints) == pytest.approx(numeric, abs=1e-8)


def test_a_stretched_arm_has_lost_a_direction_and_the_home_pose_none():
    assert least_singular(np.zeros(7)) < 1e-12
    assert least_singular(HOME) > 0.2


def test_a_research_3_joint_slows_down_towards_its_end():
    # Joint 1 at 2.5 rad: sqrt(12 * (2.7501 - 2.5)) - 0.3 = 1.4324; downwards it is free.
    low, high = speed_limits(FR3, (2.5, 0, 0, -1.5, 0, 2.0, 0))
    assert high[0] == pytest.approx(np.sqrt(12 * 0.2501) - 0.3)
    assert low[0] == -2.62
    # Joint 6 at 0.6: sqrt(11 * (0.6 - 0.54092)) - 0.35 = 0.4561 towards its lower end.
    low, _ = speed_limits(FR3, (0, 0, 0, -1.5, 0, 0.6, 0))
    assert low[5] == pytest.approx(-(np.sqrt(11 * 0.05908) - 0.35))


@pytest.mark.parametrize("end", [FR3.low_rad, FR3.high_rad])
def test_no_research_3_joint_may_move_on_at_its_end(end):
    low, high = speed_limits(FR3, end)
    outward = high if end is FR3.high_rad else -low
    # The two ends are published in different places and differ by up to 9 mrad.
    assert np.all(outward < 0.01)


def test_a_panda_joint_has_the_same_speed_everywhere():
    low, high = speed_limits(PANDA, PANDA.high_rad)
    assert high.tolist() == list(PANDA.speed_rad_s)
    assert low.tolist() == [-value for value in PANDA.speed_rad_s]


def test_joints_are_called_as_in_the_robot_description():
    assert FR3.joint_names[0] == "fr3_joint1"
    assert PANDA.joint_names[6] == "panda_joint7"
