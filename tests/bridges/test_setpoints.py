"""Deltas, target poses and what lies between them."""

import math

import numpy as np
import pytest

from bridges.pose import Pose, between, product, turn_of, turned_by
from bridges.setpoints import anchor_of, count_of, delta_of, resampled, target_of

SCALE = np.array([0.05, 0.05, 0.05, 0.25, 0.25, 0.25])
DOWN = np.array([1.0, 0.0, 0.0, 0.0])  # half a turn about x


def pose(x: float, turn: tuple[float, float, float] = (0, 0, 0)) -> Pose:
    about = turned_by(np.array(turn, np.float64))
    return Pose(np.array([x, 0.0, 0.3]), product(about, DOWN))


def test_half_a_delta_is_half_the_full_scale_along_the_axes_of_the_base():
    target = target_of(pose(0.5), np.array([0.5, 0, 0, 0, 0, 1], np.float32), SCALE)
    # 0.5 x 0.05 m = 0.025 m; the tool hangs upside down, and yet +z turns about the base's z
    assert target.position_m == pytest.approx([0.525, 0, 0.3])
    turn = turn_of(product(target.quaternion, DOWN * [-1, -1, -1, 1]))
    assert turn == pytest.approx([0, 0, 0.25])


def test_a_quarter_turn_moves_x_to_y():
    # a quaternion of 90 degrees about z: (0, 0, sin 45, cos 45)
    quarter = turned_by(np.array([0, 0, math.pi / 2]))
    assert quarter == pytest.approx([0, 0, math.sqrt(0.5), math.sqrt(0.5)])
    # two of them are half a turn, the long way round the same as the short one
    assert np.abs(turn_of(product(quarter, quarter))) == pytest.approx([0, 0, math.pi])


def test_the_shorter_way_round_is_taken():
    # 350 degrees one way are 10 degrees the other
    turn = turn_of(turned_by(np.array([0, 0, math.radians(350)])))
    assert turn == pytest.approx([0, 0, -math.radians(10)])


@pytest.mark.parametrize("seed", range(20))
def test_a_delta_comes_back_out_of_its_target(seed):
    rng = np.random.default_rng(seed)
    anchor = pose(0.4, tuple(rng.uniform(-1, 1, 3)))
    delta = rng.uniform(-1, 1, 6).astype(np.float32)
    assert delta_of(anchor, target_of(anchor, delta, SCALE), SCALE) == pytest.approx(
        delta, abs=1e-6
    )


def test_the_way_is_cut_into_equal_parts_and_ends_at_the_target():
    start, target = pose(0.4), pose(0.5, (0, 0, 0.4))
    way = resampled(start, target, 4)
    # a quarter of 0.1 m and of 0.4 rad each
    assert [each.position_m[0] for each in way] == pytest.approx([0.425, 0.45, 0.475, 0.5])
    turns = [turn_of(product(each.quaternion, DOWN * [-1, -1, -1, 1]))[2] for each in way]
    assert turns == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert way[-1] is target


def test_between_takes_the_shorter_turn_whatever_the_sign_of_a_quaternion():
    start, end = pose(0.0), pose(0.0, (0, 0, 0.2))
    flipped = Pose(end.position_m, -end.quaternion)
    middle = between(start, flipped, 0.5)
    turn = turn_of(product(middle.quaternion, DOWN * [-1, -1, -1, 1]))
    assert turn == pytest.approx([0, 0, 0.1])


@pytest.mark.parametrize(
    ("control_hz", "setpoint_hz", "count"), [(5, 50, 10), (20, 50, 3), (20, 20, 1), (20, 5, 1)]
)
def test_setpoints_are_never_further_apart_than_asked(control_hz, setpoint_hz, count):
    assert count_of(control_hz, setpoint_hz) == count


def test_a_measured_anchor_keeps_the_last_turn_so_that_the_tool_does_not_sag():
    measured, last = pose(0.40, (0.1, 0, 0)), pose(0.44)
    anchor = anchor_of(measured, last, "measured", 0.4)
    assert anchor.position_m[0] == 0.40
    assert np.array_equal(anchor.quaternion, last.quaternion)


def test_a_measured_anchor_keeps_no_turn_that_the_arm_cannot_follow():
    measured, last = pose(0.40), pose(0.44, (0, 0, 1.0))
    anchor = anchor_of(measured, last, "measured", 0.4)
    # the tool is 1 rad behind and the leash is 0.4 rad long
    assert turn_of(product(anchor.quaternion, DOWN * [-1, -1, -1, 1])) == pytest.approx([0, 0, 0.4])


def test_the_last_target_is_an_anchor_where_the_profile_says_so():
    measured, last = pose(0.40), pose(0.44, (0, 0, 1.0))
    assert anchor_of(measured, last, "last", 0.4) is last
