"""Scripted moves on the embedded arm: what was done to it is what is found."""

import pytest

from agent.guided.actions import try_actions
from agent.guided.arm import GuidedArm
from agent.settings import RobotSettings
from sim.tabletop.robot import Tabletop


def tried(**shift):
    robot = Tabletop(RobotSettings(name="tabletop", shift=shift, image_px=16))
    try:
        arm = GuidedArm(robot, (0.5, 0.0, 0.0))
        arm.begin()
        return try_actions(arm, None)
    finally:
        robot.close()


def amiss(test):
    return {each.name: each.found for each in test.told if not each.well}


def test_the_unshifted_arm_passes_and_its_answer_is_kept():
    test = tried()
    assert test.well
    assert test.response.delay_steps <= 1
    assert 0.2 < test.response.gain < 1.0


def test_a_turned_action_frame_and_a_gripper_the_wrong_way_round_are_both_named():
    # 0.35 rad is 20.05 degrees about the vertical
    found = amiss(tried(rotate=0.35, gripper=-1.0))
    assert set(found) == {"base frame", "turning frame", "gripper"}
    degrees = float(found["base frame"].split()[2])
    assert degrees == pytest.approx(20.05, abs=1.5)
    assert found["gripper"].startswith("inverted")


def test_a_delay_of_five_control_periods_is_counted():
    found = amiss(tried(delay=5.0))
    assert set(found) == {"delay"}
    assert found["delay"].startswith("5 control periods")
