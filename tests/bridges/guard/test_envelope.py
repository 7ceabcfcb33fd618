"""Each limit of the envelope, against figures worked out by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from agent.episode import Limit
from bridges.guard.bounds import bounds_of
from bridges.guard.envelope import at_rest, hold
from bridges.guard.homing import home_of
from bridges.pose import Pose, product, turned_by
from calibration.profile import load
from tests.bridges.guard.cell import BOUNDS, HOME, JOINTS, NOW, T, at, last, measured, move


def held(request=None, *, arm=None, previous=None, now_s=NOW, bounds=BOUNDS):
    return hold(request or move(), arm or measured(), previous or last(), bounds, now_s)


def moved(result) -> np.ndarray:
    assert result.refused is None, result.refused
    return result.command.pose.position_m - HOME.position_m


def turned(result) -> float:
    assert result.refused is None, result.refused
    return 2 * math.acos(min(1.0, abs(float(result.command.pose.quaternion @ HOME.quaternion))))


def refused(result, words: str, *, stop: bool) -> None:
    assert result.command is None
    assert words in result.refused
    assert result.stop is stop


def test_a_small_step_passes_unchanged():
    found = held(move((0.0005, 0.0, 0.0)))
    assert moved(found) == pytest.approx([0.0005, 0.0, 0.0])
    assert found.limits == Limit(0)


def test_a_number_that_is_not_finite_stops_the_arm():
    for value in (math.nan, math.inf, -math.inf):
        refused(held(move(position_m=(0.4, value, 0.3))), "finite", stop=True)
        refused(held(move(quaternion_xyzw=(0.0, 0.0, value, 1.0))), "finite", stop=True)
        for name in ("gripper", "sent_s", "deadline_s", "next_s"):
            refused(held(move(**{name: value})), "finite", stop=True)
        refused(held(now_s=value), "finite", stop=True)


def test_a_request_of_no_shape_is_refused():
    refused(held(move(position_m=(11.0, 0.0, 0.3))), "within", stop=False)
    refused(held(move(position_m=(1e200, 0.0, 0.3))), "within", stop=False)
    refused(held(move(quaternion_xyzw=(0.0, 0.0, 0.0, 0.0))), "length 1", stop=False)
    refused(held(move(quaternion_xyzw=(0.0, 0.0, 0.0, 0.99))), "length 1", stop=False)
    refused(held(move(quaternion_xyzw=(0.8, 0.0, 0.0, 0.8))), "length 1", stop=False)
    refused(held(move(quaternion_xyzw=(1e200, 0.0, 0.0, 0.0))), "component", stop=False)
    refused(held(move(gripper=1.01)), "opening", stop=False)
    refused(held(move(gripper=-0.01)), "opening", stop=False)
    refused(held(move(episode=-1)), "episodes", stop=False)
    assert held(move(gripper=1.01)).limits == Limit.SHAPE


def test_a_request_of_another_moment_is_refused():
    refused(held(move(deadline_s=NOW - 0.001)), "late", stop=False)
    # sent more than a second ago, whatever deadline it gives itself
    refused(held(move(sent_s=NOW - 1.1, deadline_s=NOW + 9.0)), "late", stop=False)
    refused(held(move(sent_s=NOW + 0.1)), "future", stop=False)
    assert held(move(deadline_s=NOW)).refused is None


def test_an_old_or_misdated_state_stops_the_arm():
    for name in ("joints", "pose"):
        for at_s in (NOW - 0.201, NOW + 0.01, math.nan):
            refused(held(arm=measured(**{f"{name}_at_s": at_s})), "old, limit", stop=True)
        for stamp_s in (0.21, -0.21, math.nan):
            refused(held(arm=measured(**{f"{name}_stamp_s": stamp_s})), "stamp", stop=True)
        assert held(arm=measured(**{f"{name}_at_s": NOW - 0.199})).refused is None


def test_an_impossible_state_stops_the_arm():
    broken = JOINTS.copy()
    broken[3] = math.nan
    refused(held(arm=measured(joints_rad=broken)), "not finite", stop=True)
    refused(held(arm=measured(joints_rad=JOINTS[:6])), "not finite", stop=True)
    far = Pose(np.array([11.0, 0.0, 0.3]), HOME.quaternion)
    refused(held(arm=measured(pose=far)), "far from any arm", stop=True)
    longer = Pose(HOME.position_m, HOME.quaternion * 1.1)
    refused(held(arm=measured(pose=longer)), "quaternion", stop=True)


def test_a_clock_that_went_back_stops_the_arm():
    refused(held(previous=last(at_s=NOW + 0.001)), "clock", stop=True)


def test_targets_come_no_oftener_than_twice_the_setpoint_rate():
    # 0.5 saved up, and half a period earns 2 x 0.5 = 1.0: one more; a tenth earns 0.2: none.
    assert held(previous=last(credit_n=0.5, at_s=NOW - T / 2)).refused is None
    refused(held(previous=last(credit_n=0.5, at_s=NOW - T / 10)), "a second", stop=False)
    # however long it rests, five are saved at most, and this one is spent of them
    assert held(previous=last(at_s=NOW - 10.0)).command.credit_n == 4.0


def test_a_step_is_held_to_its_longest():
    wide = replace(BOUNDS, acceleration_m_s2=1e3)
    found = held(move((0.0072, 0.0, 0.0096)), bounds=wide)
    # 10 mm of the 12 mm wanted, in the direction of (3, 0, 4)
    assert moved(found) == pytest.approx([0.006, 0.0, 0.008])
    assert found.limits == Limit.STEP


def test_speed_is_held_over_time_and_lateness_is_made_up():
    wide = replace(BOUNDS, acceleration_m_s2=1e3)
    # One period of 20 ms at 0.25 m/s earns 5 mm on top of the 1 mm saved.
    found = held(move((0.008, 0.0, 0.0)), previous=last(credit_m=0.001), bounds=wide)
    assert moved(found)[0] == pytest.approx(0.006)
    assert found.limits == Limit.SPEED
    assert found.command.credit_m == pytest.approx(0.0)
    # A long rest saves three setpoints' way and no more: 15 mm, and the step takes 10 of them.
    found = held(move((0.03, 0.0, 0.0)), previous=last(at_s=NOW - 5.0), bounds=wide)
    assert found.command.credit_m == pytest.approx(0.005)


def test_a_new_adapter_acts_slower_in_its_first_episodes():
    wide = replace(BOUNDS, acceleration_m_s2=1e3)
    for episode, way_m in ((0, 0.0025), (2, 0.0025), (3, 0.005)):
        found = held(move((0.02, 0.0, 0.0), episode=episode), previous=last(credit_m=0.0),
                     bounds=wide)  # fmt: skip
        assert moved(found)[0] == pytest.approx(way_m)


def test_speed_is_gained_slowly_and_lost_at_once():
    # From rest 2 m/s2 x 20 ms x 20 ms = 0.8 mm.
    found = held(move((0.004, 0.0, 0.0)))
    assert moved(found)[0] == pytest.approx(0.0008)
    assert found.limits == Limit.ACCELERATION
    # After a step of 3 mm: 3.8 mm.
    found = held(move((0.005, 0.0, 0.0)), previous=last(moved_m=(0.003, 0.0, 0.0)))
    assert moved(found)[0] == pytest.approx(0.0038)
    # Back after 3 mm forward: as from rest. Sideways as well.
    found = held(move((-0.005, 0.0, 0.0)), previous=last(moved_m=(0.003, 0.0, 0.0)))
    assert moved(found)[0] == pytest.approx(-0.0008)
    found = held(move((0.0, 0.005, 0.0)), previous=last(moved_m=(0.003, 0.0, 0.0)))
    assert moved(found)[1] == pytest.approx(0.0008)
    # Standing still is always allowed.
    assert moved(held(previous=last(moved_m=(0.009, 0.0, 0.0)))) == pytest.approx([0, 0, 0])


def test_after_a_pause_speed_is_gained_from_rest():
    # 60 ms is more than 2.5 periods: the 5 mm before it are forgotten; twice 0.8 mm are allowed.
    found = held(move((0.006, 0.0, 0.0)), previous=last((0.005, 0.0, 0.0), at_s=NOW - 0.06))
    assert moved(found)[0] == pytest.approx(0.0016)


def test_a_turn_is_held_to_its_longest_and_to_its_speed():
    found = held(move(turn_rad=(0.0, 0.0, 0.2)))
    assert turned(found) == pytest.approx(0.05, abs=1e-9)
    assert found.limits == Limit.ROTATION
    # 1 rad/s x 20 ms
    found = held(move(turn_rad=(0.0, 0.0, 0.03)), previous=last(credit_rad=0.0))
    assert turned(found) == pytest.approx(0.02, abs=1e-9)
    found = held(move(turn_rad=(0.0, 0.0, 0.03), episode=0), previous=last(credit_rad=0.0))
    assert turned(found) == pytest.approx(0.01, abs=1e-9)
    assert found.command.credit_rad == pytest.approx(0.0, abs=1e-9)


def test_the_target_stays_within_its_lead_of_the_measured_pose():
    wide = replace(BOUNDS, acceleration_m_s2=1e3, speed_m_s=1e3)
    ahead = last(pose=at(HOME, (0.075, 0.0, 0.0)))
    found = held(move((0.5, 0.0, 0.0)), previous=ahead, bounds=wide)
    assert moved(found)[0] == pytest.approx(0.08)
    assert found.limits == Limit.STEP
    turn = turned_by(np.array([0.0, 0.0, 0.39]))
    ahead = last(pose=Pose(HOME.position_m, product(turn, HOME.quaternion)))
    found = held(move(turn_rad=(0.0, 0.0, 1.0)), previous=ahead)
    assert turned(found) == pytest.approx(0.4, abs=1e-9)
    assert found.limits == Limit.ROTATION


def test_a_target_never_leaves_the_box():
    x, y, z = HOME.position_m
    walls = replace(BOUNDS, low_m=(x - 0.1, y - 0.1, z - 0.0002), high_m=(x + 0.1, y + 0.0003, z))
    found = held(move((0.0, 0.0005, -0.0005)), bounds=walls)
    assert moved(found) == pytest.approx([0.0, 0.0003, -0.0002])
    assert found.limits == Limit.BOX


def test_a_tool_outside_its_box_comes_nearer_or_is_left_to_a_person():
    x, y, z = HOME.position_m
    walls = replace(BOUNDS, low_m=(x - 0.1, y - 0.1, z + 0.02), high_m=(x + 0.1, y + 0.1, z + 0.1))
    found = held(move((0.0, 0.0, -0.01)), bounds=walls)
    assert moved(found) == pytest.approx([0.0, 0.0, 0.0008])  # up, by what acceleration allows
    assert Limit.BOX in found.limits
    walls = replace(walls, low_m=(x - 0.1, y - 0.1, z + 0.081))
    refused(held(bounds=walls), "outside its box", stop=False)


def test_the_gripper_moves_at_its_rate():
    # 2 of its range a second: 0.04 in 20 ms
    found = held(move(gripper=1.0))
    assert found.command.gripper == pytest.approx(0.54)
    assert found.limits == Limit.GRIPPER
    assert held(move(gripper=0.0)).command.gripper == pytest.approx(0.46)
    # however long nothing was said, no more than 2.5 periods' worth: 0.1
    found = held(move(gripper=0.0), previous=last(at_s=NOW - 5.0))
    assert found.command.gripper == pytest.approx(0.4)
    # where nobody knows how far it is open, the first opening wanted is taken
    assert held(move(gripper=1.0), previous=last(gripper=math.nan)).command.gripper == 1.0


def test_motion_begins_where_the_arm_is():
    aside = measured(pose=at(HOME, (0.003, 0.0, 0.0)), gripper=1.2)
    found = hold(move((0.003, 0.0, 0.0)), aside, None, BOUNDS, NOW)
    assert moved(found) == pytest.approx([0.003, 0.0, 0.0])
    assert found.limits == Limit.GRIPPER
    assert at_rest(aside, BOUNDS, NOW).gripper == 1.0
    assert at_rest(measured(gripper=-0.2), BOUNDS, NOW).gripper == 0.0


def test_limits_that_are_just_met_are_not_reported():
    found = held(move((0.0008, 0.0, 0.0)))
    assert found.limits == Limit(0)
    assert moved(found)[0] == pytest.approx(0.0008)


def test_what_is_sent_is_of_unit_length_though_the_wish_was_nearly_so():
    nearly = tuple(float(value) * 1.0009 for value in HOME.quaternion)
    found = held(move(quaternion_xyzw=nearly))
    assert np.linalg.norm(found.command.pose.quaternion) == pytest.approx(1.0, abs=1e-12)


def test_what_leads_a_joint_into_its_margin_is_refused_at_last():
    # joint 4 is at -2.3562, 0.6859 from its end; drawing the tool in folds it further
    tight = replace(BOUNDS, joint_margin_rad=0.686)
    assert held(move((0.0005, 0.0, 0.0)), bounds=tight).refused is None
    found = held(move((-0.0005, 0.0, 0.0)), bounds=tight)
    assert found.command is None
    assert found.limits == Limit.JOINT
    assert "nearer than" in found.refused


def test_what_a_turn_has_used_is_not_there_for_the_next():
    # 20 mrad saved and 20 earned by 20 ms at 1 rad/s, less the 30 turned
    found = held(move(turn_rad=(0.0, 0.0, 0.03)), previous=last(credit_rad=0.02))
    assert found.command.credit_rad == pytest.approx(0.01, abs=1e-9)
    # a debt by rounding buys no way back
    found = held(move((0.001, 0.0, 0.0)), previous=last(credit_m=-1e-9, at_s=NOW, credit_n=2.0))
    assert moved(found) == pytest.approx([0.0, 0.0, 0.0], abs=1e-15)
    # and standing still is asked of no credit
    found = held(previous=last(credit_m=-1e-18, credit_rad=-1e-18, at_s=NOW, credit_n=2.0))
    assert moved(found) == pytest.approx([0.0, 0.0, 0.0], abs=1e-15)


@pytest.mark.parametrize("name", ["franka", "panda"])
def test_a_full_scale_action_is_carried_out_within_its_control_period(name: str):
    # Else every bold action would count as not executed, and nothing be learned from it.
    profile = load(name)
    bounds = bounds_of(profile)
    home, joints = home_of(profile), np.array(profile.home.joints_rad)
    count = round(profile.rates.setpoint_hz / profile.rates.control_hz)
    full_m = np.array([0.0, profile.scale.full_scale[1], 0.0])
    previous, now_s = None, NOW
    for number in range(1, count + 1):
        now_s += bounds.period_s
        arm = measured(joints_rad=joints, pose=home, joints_at_s=now_s, pose_at_s=now_s)
        wish = tuple(float(value) for value in home.position_m + full_m * number / count)
        request = move(position_m=wish, quaternion_xyzw=tuple(home.quaternion.tolist()),
                       sent_s=now_s, deadline_s=now_s, next_s=now_s, episode=99)  # fmt: skip
        found = hold(request, arm, previous, bounds, now_s)
        previous = found.command
    # one fiftieth of full scale counts as unchanged
    assert previous.pose.position_m - home.position_m == pytest.approx(full_m, abs=0.001)
