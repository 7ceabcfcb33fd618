"""Joint margins and singularities: where a pose would lead the arm."""

from dataclasses import replace

import numpy as np
import pytest

from agent.episode import Limit
from benchmarks.guard_kinematics import quaternion_of, tool_of, turn_between
from bridges.guard.command import Refusal
from bridges.guard.reach import check_reach, joints_at
from bridges.pose import Pose
from calibration.franka import PANDA
from tests.bridges.guard.cell import BOUNDS, HOME, JOINTS, at, measured


def pose_of(joints) -> Pose:
    tool, hand, _ = tool_of(np.asarray(joints, np.float64))
    return Pose(tool, quaternion_of(hand))


def there(joints):
    return measured(joints_rad=np.asarray(joints, np.float64), pose=pose_of(joints))


def refusal(arm, pose, bounds=BOUNDS) -> Refusal:
    with pytest.raises(Refusal) as caught:
        check_reach(arm, pose, bounds)
    return caught.value


def test_screw_axes_and_the_profile_agree_on_home():
    assert pose_of(JOINTS).position_m == pytest.approx(HOME.position_m, abs=1e-12)
    assert turn_between(pose_of(JOINTS).quaternion, HOME.quaternion) == pytest.approx(0, abs=1e-9)


def test_a_pose_at_hand_is_let_through():
    check_reach(measured(), at(HOME, (0.01, 0.01, 0.0)), BOUNDS)


def test_the_joints_a_pose_leads_to_carry_the_tool_there():
    aim = at(HOME, (0.002, -0.001, 0.001))
    found = pose_of(joints_at(measured(), aim))
    # first order: the error is of the order of the square of 2.4 mm
    assert found.position_m == pytest.approx(aim.position_m, abs=2e-5)


def test_a_pose_that_leads_a_joint_into_its_margin_is_refused():
    # joint 4 of fr3 begins at -3.0421; with 0.1 rad of margin it is to stay above -2.9421
    joints = JOINTS.copy()
    joints[3] = -2.935
    arm = there(joints)
    inward = pose_of([*joints[:3], -2.95, *joints[4:]])
    found = refusal(arm, inward)
    assert found.limits == Limit.JOINT
    assert "joint 4" in found.why
    assert not found.stop
    check_reach(arm, pose_of([*joints[:3], -2.92, *joints[4:]]), BOUNDS)
    check_reach(arm, inward, replace(BOUNDS, joint_margin_rad=0.05))


def test_the_upper_end_counts_as_well():
    joints = JOINTS.copy()
    joints[6] = 2.91  # 3.0159 less 0.1 is 2.9159
    found = refusal(there(joints), pose_of([*joints[:6], 2.925]))
    assert "joint 7" in found.why


def test_out_of_a_margin_the_arm_may_come_but_not_farther_in():
    joints = JOINTS.copy()
    joints[3] = -2.96
    check_reach(there(joints), pose_of([*joints[:3], -2.955, *joints[4:]]), BOUNDS)
    refusal(there(joints), pose_of([*joints[:3], -2.965, *joints[4:]]))
    refusal(there(joints), pose_of(joints))


def test_joints_beyond_their_limits_are_of_another_model():
    # a Panda folded to j6 = 0.2 is no FR3, whose joint 6 begins at 0.5445
    joints = JOINTS.copy()
    joints[5] = 0.2
    found = refusal(there(joints), pose_of(joints))
    assert "joint 6" in found.why
    assert "fr3" in found.why
    assert found.stop


def test_joints_and_pose_of_two_arms_are_noticed():
    found = refusal(measured(pose=at(HOME, (0.0, 0.6, 0.0))), at(HOME, (0.0, 0.6, 0.0)))
    assert "m from where the joints put the tool" in found.why
    assert found.stop
    check_reach(measured(pose=at(HOME, (0.0, 0.0, -0.1))), at(HOME, (0.0, 0.0, -0.1)), BOUNDS)


def test_a_longer_tool_swings_the_hand_when_it_turns():
    # A turn by 0.1 rad about the vertical; a point 0.2 m beside the hand is to stay where it is.
    beside = at(HOME, (0.2, 0.0, 0.0))
    turn = pose_of([*JOINTS[:6], JOINTS[6] + 0.1]).quaternion
    plain = joints_at(measured(), Pose(HOME.position_m, turn)) - JOINTS
    longer = joints_at(measured(pose=beside), Pose(beside.position_m, turn)) - JOINTS
    moves = tool_of(JOINTS)[2]
    assert moves @ plain == pytest.approx([0, 0, 0, 0, 0, -0.1], abs=1e-6)
    # So the hand swings about it: by 0.2 m x 0.1, sideways.
    assert moves @ longer == pytest.approx([0, 0.02, 0, 0, 0, -0.1], abs=1e-6)


def test_a_pose_towards_a_singularity_is_refused():
    # j4 and j6 such that the wrist is nearly stretched; a low limit lets the same pose through
    joints = np.array([0.0, 0.4, 0.0, -0.6, 0.0, 1.0, 0.7854])
    arm = there(joints)
    least = np.linalg.svd(tool_of(joints)[2], compute_uv=False)[-1]
    outward = pose_of([0.0, 0.43, 0.0, -0.55, 0.0, 0.98, 0.7854])
    strict = replace(BOUNDS, singular_min=least)
    found = refusal(arm, outward, strict)
    assert found.limits == Limit.SINGULAR
    check_reach(arm, outward, replace(BOUNDS, singular_min=0.5 * least))
    # and away from it the arm may go, near as it still is
    check_reach(
        arm,
        pose_of([0.0, 0.37, 0.0, -0.65, 0.0, 1.02, 0.7854]),
        replace(BOUNDS, singular_min=2 * least),
    )


def test_a_singular_arm_is_left_to_a_person():
    # Stretched straight up, four of the axes lie in one line.
    joints = np.zeros(7)
    panda = replace(BOUNDS, model=PANDA)
    assert np.linalg.svd(tool_of(joints)[2], compute_uv=False)[-1] < 1e-12
    assert "guide it out" in refusal(there(joints), pose_of(joints), panda).why
