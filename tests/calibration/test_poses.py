"""The next pose to look from: reachable, and worth more than one taken at random."""

import math

import numpy as np
import pytest

from calibration import poses
from calibration.board import Board
from calibration.franka import FR3, PANDA
from calibration.loop import Guess, Loop
from calibration.poses import Bounds, feelers, information, propose, rough_lens, too_similar
from calibration.reach import Reach, along, joints_for, tool_of
from calibration.rigid import apart, inverse, motion, nudged
from calibration.workspace import Box
from tests.calibration.views import CAMERA, TRUE, one_view

HOME = np.array([0.0, -0.2, 0.0, -2.5, 0.0, 2.3, 0.7854])
BOUNDS = Bounds(Box((0.3, -0.3, 0.05), (0.7, 0.3, 0.5)), Reach(PANDA))
SMALL = Board(8, 6, 0.02, 0.015)


def looking(seed=0):
    """Views of a board 0.3 m before the camera, from the feelers alone, and what is true."""
    rng = np.random.default_rng(seed)
    home = tool_of(HOME)
    middle = np.array([0.08, 0.06, 0.0])
    board = home @ CAMERA @ motion(np.zeros(3), -middle + [0.0, 0.0, 0.3])
    tools = [home, *(each.tool for each in feelers(BOUNDS, HOME, home, 0.3))]
    seen = tuple(one_view(SMALL, inverse(board) @ tool @ CAMERA, rng, 0.1) for tool in tools)
    return Loop("on-hand", SMALL, TRUE, np.stack(tools), seen), Guess("true", CAMERA, board), rng


def spread_m(loop, guess):
    known = information(loop, guess, range(len(loop.seen)))
    return math.sqrt(np.trace(np.linalg.inv(known)[:3, :3]))


def more(loop, guess, tool, rng):
    seen = one_view(SMALL, inverse(guess.board) @ tool @ guess.camera, rng, 0.1)
    tools = np.concatenate([loop.tool_in_base, tool[np.newaxis]])
    return Loop(loop.mount, loop.board, loop.camera, tools, (*loop.seen, seen))


def test_feelers_stay_in_reach_and_turn_about_two_axes():
    loop, _, _ = looking()
    turns = [np.degrees(apart(loop.tool_in_base[0], tool)[1]) for tool in loop.tool_in_base[1:]]
    assert len(turns) >= 6
    assert max(turns) >= 20.0
    for tool in loop.tool_in_base:
        assert BOUNDS.box.contains(tool[:3, 3])
        assert along(BOUNDS.reach, HOME, tool) is not None


def test_every_proposal_can_be_reached_and_promises_a_smaller_doubt():
    loop, guess, rng = looking()
    for _ in range(3):
        found = propose(loop, guess, BOUNDS, HOME, rng)
        assert found is not None
        assert BOUNDS.box.contains(found.tool[:3, 3])
        assert max(apart(tool_of(found.joints_rad), found.tool)) < 1e-3
        assert found.gain_nats > 0
        before = spread_m(loop, guess)
        loop = more(loop, guess, found.tool, rng)
        assert spread_m(loop, guess) < before


def test_what_is_proposed_tells_more_than_poses_at_random():
    # The same number of views; at random is what a person does who turns the wrist a little.
    planned, guess, rng = looking()
    drawn = planned
    for number in range(5):
        planned = more(planned, guess, propose(planned, guess, BOUNDS, HOME, rng).tool, rng)
        other = np.random.default_rng(number)
        for _ in range(200):
            turn = other.normal(0, [0.15, 0.15, 0.3])
            tool = nudged(tool_of(HOME), np.concatenate([other.normal(0, 0.03, 3), turn]))
            if BOUNDS.box.contains(tool[:3, 3]) and along(BOUNDS.reach, HOME, tool) is not None:
                break
        drawn = more(drawn, guess, tool, rng)
    assert spread_m(planned, guess) < 0.8 * spread_m(drawn, guess)


def test_a_lens_for_planning_comes_within_a_tenth_from_a_few_tilted_views():
    loop, _, _ = looking()
    lens = rough_lens(SMALL, loop.seen, TRUE.width_px, TRUE.height_px)
    assert lens.matrix[0, 0] == pytest.approx(605.0, rel=0.1)


def test_joints_for_a_pose_out_of_reach_are_none():
    far = tool_of(HOME)
    far[:3, 3] = [1.2, 0.0, 0.3]
    assert joints_for(PANDA, far, HOME) is None


def test_joints_of_a_pose_are_found_again_within_a_hundredth_of_a_millimetre():
    start = np.array([0.1, -0.5, 0.1, -2.2, 0.05, 1.9, 0.6])
    found = joints_for(FR3, tool_of(start), [0.0, -0.7854, 0.0, -2.3562, 0.0, 1.5708, 0.7854])
    assert found is not None
    assert max(apart(tool_of(found), tool_of(start))) < 1e-5


def test_a_pose_a_few_millimetres_and_degrees_away_is_too_similar():
    home = tool_of(HOME)
    near = nudged(home, np.array([0.005, 0.0, 0.0, 0.03, 0.0, 0.0]))
    turned = nudged(home, np.array([0.0, 0.0, 0.0, 0.2, 0.0, 0.0]))
    assert too_similar(near, [home])
    assert not too_similar(turned, [home])


def test_a_camera_beside_the_arm_is_planned_for_with_the_board_in_the_hand():
    # A camera 0.9 m before the base and 0.8 m up, tilted 35 degrees back towards the arm.
    camera = motion(np.zeros(3), [0.9, 0.0, 0.8]) @ motion([0.0, np.pi + 0.6, 0.0], np.zeros(3))
    held = inverse(tool_of(HOME)) @ camera @ motion(np.zeros(3), [-0.08, -0.06, 0.6])
    guess = Guess("true", camera, held)
    rng = np.random.default_rng(2)
    tools = [tool_of(HOME), *(f.tool for f in feelers(BOUNDS, HOME, tool_of(HOME), 0.1))]
    seen = tuple(
        one_view(SMALL, inverse(held) @ inverse(tool) @ camera, rng, 0.1) for tool in tools
    )
    loop = Loop("beside", SMALL, TRUE, np.stack(tools), seen)
    found = propose(loop, guess, BOUNDS, HOME, rng)
    assert found is not None
    assert BOUNDS.box.contains(found.tool[:3, 3])
    tools, more_seen = (
        [*tools, found.tool],
        one_view(SMALL, inverse(held) @ inverse(found.tool) @ camera, rng, 0.1),
    )
    after = Loop("beside", SMALL, TRUE, np.stack(tools), (*seen, more_seen))
    assert spread_m(after, guess) < spread_m(loop, guess)


def test_of_all_candidates_the_one_worth_most_is_proposed(monkeypatch):
    # The same draws: the first eight of them are among the twenty-four.
    loop, guess, _ = looking()
    many = propose(loop, guess, BOUNDS, HOME, np.random.default_rng(4))
    monkeypatch.setattr(poses, "TRIES", 8)
    few = propose(loop, guess, BOUNDS, HOME, np.random.default_rng(4))
    assert many is not None
    assert few is not None
    assert many.gain_nats > few.gain_nats
