"""Milestones, keyframes and progress: numbers worked out by hand, and what always holds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from agent.episode import RobotCard
from agent.errors import DataError, UsageError
from agent.reward.segments import (
    Layout,
    SegmentSettings,
    layout_of,
    median,
    segment,
    series_of,
    speed_of,
)
from agent.settings import RobotSettings
from sim.tabletop.robot import Tabletop
from tests.episodes import episode_of
from tests.reward.series import grasp, series


def card(*proprio):
    return RobotCard("arm", ("cam",), proprio, 10.0, (0.05,) * 6)


def test_a_grasp_is_cut_where_the_fingers_are_half_way():
    # The change over 10 moments exceeds 0.3 from moment 11 (to 0.6 at 21) to 22 (from 0.4): it goes
    # from 1.0 at 11 to 0.0 at 32, and 0.5 is passed between 21 (0.6) and 22 (0.4).
    found = segment(series())
    assert found.milestones.tolist() == [22, 59]
    assert found.closing.tolist() == [True, False]


def test_each_milestone_is_worth_the_same_and_the_way_of_the_tool_lies_between():
    # 1 mm a moment: 11 of 22 mm are a quarter, 22 + 18 of 37 further mm are 1/2 + 18/74.
    progress = segment(series()).progress
    assert progress[[0, 11, 22, 40, 59]] == pytest.approx([0, 0.25, 0.5, 0.5 + 18 / 74, 1.0])


def test_a_tool_that_stands_makes_no_progress():
    # It stands for 10 moments and goes 12 mm to the milestone: 6 of them are half of a half.
    steps = np.full(59, 0.001)
    steps[:10] = 0.0
    progress = segment(series(steps_m=steps)).progress
    assert progress[[10, 16, 22]] == pytest.approx([0.0, 0.25, 0.5])


def test_where_nothing_moves_at_all_progress_goes_with_time():
    progress = segment(series(np.ones(11), np.zeros(10))).progress
    assert progress == pytest.approx(np.arange(11) / 10)


def test_fingers_that_close_for_a_moment_cut_nothing():
    # Six moments are 0.3 s: the median of five keeps them, the half second of debouncing does not.
    opening = np.ones(60)
    opening[30:36] = 0.0
    assert segment(series(opening)).milestones.tolist() == [59]
    kept = segment(series(opening), SegmentSettings(debounce_s=0.2))
    assert kept.milestones.tolist() == [30, 36, 59]
    assert kept.closing.tolist() == [True, False, False]


def test_of_several_close_cuts_the_closest_pair_goes():
    # Open from 20 on, a wobble shut at 29 and open at 33: 9 moments apart, then 4. The wobble goes
    # and the opening stays; with the first pair gone instead, the cut would be at 33.
    opening = np.zeros(60)
    opening[20:29] = 1.0
    opening[33:] = 1.0
    told = SegmentSettings(within_s=0.1, median_s=0.05)
    assert segment(series(opening), told).milestones.tolist() == [20, 59]


def test_a_cut_at_either_end_is_none():
    # Fingers that shut in the first 0.25 s take their shape for a push.
    opening = np.ones(60)
    opening[5:] = 0.0
    assert segment(series(opening)).milestones.tolist() == [59]
    opening = np.zeros(60)
    opening[55:] = 1.0
    assert segment(series(opening)).milestones.tolist() == [59]


def test_fingers_that_hardly_move_cut_nothing():
    opening = 0.9 + 0.09 * grasp()
    assert segment(series(opening)).milestones.tolist() == [59]
    assert segment(series(opening), SegmentSettings(least_range=0.05)).milestones[0] == 22


def test_a_keyframe_is_the_middle_of_where_the_tool_stands():
    # Steps 28 to 31 are none, so moments 29, 30 and 31 stand still.
    steps = np.full(59, 0.01)
    steps[28:32] = 0.0
    still = series(np.ones(60), steps)
    assert speed_of(still)[[27, 28, 29, 31, 32]] == pytest.approx([0.2, 0.1, 0.0, 0.0, 0.1])
    assert segment(still).keyframes.tolist() == [30, 59]


def test_a_keyframe_keeps_away_from_a_milestone():
    # The middle, 25, is 3 moments after the cut at 22; 6 are wanted, and 0.1 s are 2.
    steps = np.full(59, 0.01)
    steps[23:27] = 0.0
    assert segment(series(steps_m=steps)).keyframes.tolist() == [22, 59]
    near = segment(series(steps_m=steps), SegmentSettings(apart_s=0.1))
    assert near.keyframes.tolist() == [22, 25, 59]


@pytest.mark.parametrize(("first_m", "second_m", "kept"), [(2e-3, 1e-3, 34), (1e-3, 2e-3, 30)])
def test_of_two_dips_too_close_the_slower_is_the_keyframe(first_m, second_m, kept):
    # At moments 30 and 34, 0.2 s apart where 0.3 s are wanted.
    steps = np.full(59, 0.01)
    steps[29:31], steps[33:35] = first_m, second_m
    assert segment(series(np.ones(60), steps)).keyframes.tolist() == [kept, 59]


def test_a_dip_above_the_limit_is_no_keyframe():
    # Twenty of 80 moments stand at the end, so the tenth percentile is 0 and the limit is 10 mm/s;
    # the dip is one to (0.5 + 0.5) mm / 2 a moment, 10 mm/s, which is not below it.
    steps = np.full(79, 0.01)
    steps[30:32] = 0.0005
    steps[60:] = 0.0
    assert segment(series(np.ones(80), steps)).keyframes.tolist() == [79]
    slow = segment(series(np.ones(80), steps), SegmentSettings(slow_m_s=0.011))
    assert slow.keyframes.tolist() == [31, 79]


def test_a_median_takes_what_there_is_at_both_ends():
    # The windows are 5 1, then 5 1 2, then 1 2 9, then 2 9.
    assert median(np.array([5.0, 1.0, 2.0, 9.0]), 3).tolist() == [3.0, 2.0, 2.0, 5.5]


def test_the_columns_are_found_by_the_names_on_the_card():
    tabletop = layout_of(Tabletop(RobotSettings()).card)
    assert tabletop == Layout((0, 1, 2), (6,), 1.0, 20.0)
    joints = layout_of(card("joint_1_rad", "opening", "tool_x_m", "tool_y_m", "tool_z_m"))
    assert joints == Layout((2, 3, 4), (1,), 1.0, 10.0)
    fingers = layout_of(card("x", "y", "z", "left_finger", "right_finger"))
    assert fingers == Layout((0, 1, 2), (3, 4), 0.08, 10.0)


def test_a_card_without_a_gripper_is_refused_by_its_names():
    with pytest.raises(UsageError, match=r"opening.*found \('x', 'y', 'z'\)"):
        layout_of(card("x", "y", "z"))


def test_an_episode_of_another_robot_is_refused():
    with pytest.raises(DataError, match="7 numbers or more wanted"):
        series_of(episode_of(3), Layout((0, 1, 2), (6,), 1.0, 20.0))


def test_two_fingers_add_up_to_the_opening():
    episode = episode_of(2)
    episode.steps[0].track[:] = (0.0, 0.03, -0.03)  # 0.06 of 0.08 m
    found = series_of(episode, Layout((0, 0, 0), (1, 2), 0.08, 20.0))
    assert found.opening == pytest.approx([0.0, 0.75, 0.0])
    assert found.views.tolist() == [0, 1, 2]


@pytest.mark.parametrize("wrong", [{"cut_share": 0.0}, {"median_s": -1}, {"slow_m_s": np.nan}])
def test_thresholds_that_cannot_be_are_refused(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        SegmentSettings(**wrong)


@settings(max_examples=150, deadline=None)
@given(
    arrays(float, st.integers(2, 80), elements=st.floats(0, 1)),
    st.integers(0, 2**31),
    st.floats(0.01, 1),
)
def test_whatever_the_series_progress_rises_from_0_to_1_and_the_marks_keep_apart(
    opening, seed, most_m
):
    steps = np.random.default_rng(seed).uniform(0, most_m, len(opening) - 1).round(2)
    found = segment(series(opening, steps))
    last = len(opening) - 1
    assert found.progress[-1] == 1.0
    assert (np.diff(found.progress) >= -1e-12).all()
    assert found.progress[0] == 0.0
    assert found.milestones[-1] == last
    assert set(found.milestones) <= set(found.keyframes)
    assert (np.diff(found.milestones[:-1]) >= 10).all()
    assert (np.diff(found.keyframes) >= 6).all() or len(found.keyframes) == 1


@settings(max_examples=50, deadline=None)
@given(arrays(float, 60, elements=st.floats(0, 1)))
def test_a_gripper_of_half_the_size_is_cut_at_the_same_moments(opening):
    opening[0], opening[1] = 0.0, 1.0
    told = SegmentSettings(median_s=0.05)
    first = segment(series(opening), told)
    assert segment(series(opening * 0.5), told).milestones.tolist() == first.milestones.tolist()
