"""Which views are read, what is made of them, and what is not believed."""

from dataclasses import replace

import numpy as np
import pytest

from agent.episode import Verdict
from agent.errors import RewardUnavailable, UsageError
from agent.reward.calibration import Calibration
from agent.reward.judge import FrameJudge, chosen
from agent.reward.reader import Opinion
from tests.reward.judged import TIMED_OUT, WON, BrightReader, episode_of, told


def verdict(*bright, moved=1.0, felt=True, doubt=0.0, **settings):
    judge = FrameJudge(BrightReader(doubt=doubt), told(**settings))
    return judge.score(episode_of(*bright, moved=moved, felt=felt)).verdict


def test_every_nth_view_is_read_and_the_last_ones_that_decide():
    assert chosen(10, 4, 1) == (0, 4, 8, 9)
    assert chosen(10, 4, 3) == (0, 4, 7, 8, 9)
    assert chosen(2, 4, 3) == (0, 1)
    assert chosen(1, 4, 1) == (0,)


def test_what_lies_between_views_that_were_read_is_interpolated():
    judge = FrameJudge(BrightReader(), told(every_views=2))
    # Views 0, 2 and 4 are read: 0.0, 0.4 and 1.0; view 1 is between the first two, and so on.
    signal = judge.score(episode_of(0.0, 0.9, 0.4, 0.9, 1.0))
    np.testing.assert_allclose(signal.progress, [0.0, 0.2, 0.4, 0.7, 1.0], atol=1e-6)
    np.testing.assert_allclose(signal.success, signal.progress)
    assert signal.uncertainty.shape == (5,)
    assert signal.source == "rule/bright@000000000000"
    assert signal.success_probability == 1.0


def test_success_is_k_of_the_last_n_views():
    told_k = {"agreeing": 2, "last": 3, "unknown_band": 0.0}
    assert verdict(0.0, 0.8, 0.2, 0.8, **told_k) is Verdict.SUCCESS
    assert verdict(0.0, 0.8, 0.2, 0.2, **told_k) is Verdict.FAILURE
    # The one of long ago is not among the last three.
    assert verdict(0.0, 0.8, 0.8, 0.2, 0.2, 0.8, **told_k) is Verdict.FAILURE


def test_a_little_below_the_bar_nobody_knows():
    assert verdict(0.0, 0.62) is Verdict.SUCCESS
    assert verdict(0.0, 0.55) is Verdict.UNKNOWN
    assert verdict(0.0, 0.45) is Verdict.FAILURE
    assert verdict(0.0, 0.55, unknown_band=0.0) is Verdict.FAILURE


def test_a_judge_in_doubt_says_nothing():
    assert verdict(0.0, 0.9, doubt=0.8, most_uncertain=0.7) is Verdict.UNKNOWN
    assert verdict(0.0, 0.9, doubt=0.8, most_uncertain=0.9) is Verdict.SUCCESS


def test_success_before_the_first_move_is_refused():
    judge = FrameJudge(BrightReader(), told())
    signal = judge.score(episode_of(0.9, 0.9, 0.9))
    assert signal.verdict is Verdict.UNKNOWN
    assert signal.source.endswith("; refused: success before the first move")
    assert judge.score(episode_of(0.9)).verdict is Verdict.UNKNOWN  # not one decision


def test_success_without_motion_is_refused_whether_unasked_or_unfelt():
    # Two moves of 0.2 are 0.4 full-scale moves, and 0.5 are wanted.
    assert verdict(0.0, 0.5, 0.9, moved=0.2) is Verdict.UNKNOWN
    assert verdict(0.0, 0.5, 0.9, moved=0.3) is Verdict.SUCCESS
    assert verdict(0.0, 0.5, 0.9, felt=False) is Verdict.UNKNOWN
    assert verdict(0.0, 0.1, 0.2, felt=False) is Verdict.FAILURE


def test_the_ending_and_what_only_a_simulator_knows_make_no_difference():
    judge = FrameJudge(BrightReader(), told())
    won, lost = (judge.score(episode_of(0.0, 0.3, ending=each)) for each in (WON, TIMED_OUT))
    assert won.verdict is lost.verdict is Verdict.FAILURE
    episode = episode_of(0.0, 0.3)
    knowing = replace(episode, last=replace(episode.last, privileged=np.ones(9, np.float32)))
    assert judge.score(knowing).verdict is Verdict.FAILURE


def test_a_calibration_makes_the_probability_and_sets_the_bar():
    # The curve halves every score: 0.8 becomes 0.4, which reaches a bar of 0.3.
    known = Calibration(
        "m", "platt", (0.0, 1.0), (0.0, 0.5), 0.3, 0.02, 1, 2, 9, 10, 0, 10,
    )  # fmt: skip
    judge = FrameJudge(BrightReader(), told(theta=0.0, agreeing=0, last=0), known)
    assert (judge.bar.theta, judge.bar.k, judge.bar.n) == (0.3, 1, 2)
    signal = judge.score(episode_of(0.0, 0.8, 0.2))
    assert signal.verdict is Verdict.SUCCESS
    assert signal.success_probability == pytest.approx(0.4, abs=0.002)
    # What is set by hand goes before what was calibrated.
    assert FrameJudge(BrightReader(), told(theta=0.7), known).bar.theta == 0.7


def test_more_views_that_agree_than_are_asked_are_refused():
    with pytest.raises(UsageError, match="agreeing: 1 or fewer wanted"):
        FrameJudge(BrightReader(), told(agreeing=2, last=1))


@pytest.mark.parametrize("wrong", [np.nan, -0.1, 1.1, np.inf])
def test_figures_that_are_no_probabilities_are_refused(wrong):
    class Wrong(BrightReader):
        def read(self, frames):
            opinion = super().read(frames)
            opinion.progress[-1] = wrong
            return opinion

    with pytest.raises(RewardUnavailable, match="progress of 0 to 1 wanted"):
        FrameJudge(Wrong(), told()).score(episode_of(0.0, 0.5))


def test_too_few_figures_are_refused():
    class Short(BrightReader):
        def read(self, frames):
            opinion = super().read(frames)
            return Opinion(opinion.success[:-1], opinion.progress, opinion.uncertainty)

    with pytest.raises(RewardUnavailable, match="2 values of success wanted"):
        FrameJudge(Short(), told()).score(episode_of(0.0, 0.5))


def test_a_camera_that_is_not_there_and_an_instruction_without_words_are_unavailable():
    with pytest.raises(RewardUnavailable, match=r"set reward\.cameras"):
        FrameJudge(BrightReader(), told(cameras="wrist")).score(episode_of(0.0, 0.5))
    episode = episode_of(0.0, 0.5)
    first = replace(episode.steps[0].observation, instruction="<|>")
    mute = replace(episode, steps=(replace(episode.steps[0], observation=first),))
    with pytest.raises(RewardUnavailable, match="instruction in words"):
        FrameJudge(BrightReader(), told()).score(mute)
