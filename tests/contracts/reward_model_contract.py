"""What every RewardModel must do. Inherit it and give the fixtures `judge` and `episode`."""

import copy

import numpy as np

from agent.episode import RewardSignal, Verdict


def arrays(signal):
    return signal.progress, signal.success, signal.uncertainty


class RewardModelContract:
    """`judge`: a judge. `episode(decisions)`: an episode that it can judge, the same each time."""

    def test_every_view_has_a_progress_between_0_and_1(self, judge, episode):
        for decisions in (1, 2, 9):
            signal = judge.score(episode(decisions))
            assert isinstance(signal, RewardSignal)
            assert signal.progress.shape == (decisions + 1,)
            assert signal.progress.dtype == np.float32
            assert np.all((signal.progress >= 0.0) & (signal.progress <= 1.0))

    def test_what_is_said_of_single_views_is_said_of_all_or_of_none(self, judge, episode):
        signal = judge.score(episode(5))
        for values in (signal.success, signal.uncertainty):
            assert values.shape in {(0,), (6,)}
            assert values.dtype == np.float32
            assert np.all((values >= 0.0) & (values <= 1.0))

    def test_a_verdict_has_a_probability_and_a_source(self, judge, episode):
        signal = judge.score(episode(5))
        assert isinstance(signal.verdict, Verdict)
        assert 0.0 <= signal.success_probability <= 1.0
        assert "/" in signal.source
        assert "\n" not in signal.source

    def test_the_same_episode_gets_the_same_answer(self, judge, episode):
        first, again = judge.score(episode(5)), judge.score(episode(5))
        assert (first.verdict, first.source) == (again.verdict, again.source)
        assert abs(first.success_probability - again.success_probability) < 1e-6
        for one, other in zip(arrays(first), arrays(again), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)

    def test_an_episode_is_only_looked_at(self, judge, episode):
        mine = episode(3)
        before = copy.deepcopy(mine)
        judge.score(mine)
        assert mine.ending == before.ending
        for step, was in zip(mine.steps, before.steps, strict=True):
            assert np.array_equal(step.observation.proprio, was.observation.proprio)
            for name, image in step.observation.images.items():
                assert np.array_equal(image, was.observation.images[name])

    def test_an_episode_without_a_decision_is_no_success(self, judge, episode):
        signal = judge.score(episode(0))
        assert signal.progress.shape == (1,)
        assert signal.verdict is not Verdict.SUCCESS

    def test_pictures_decide_and_the_ending_does_not_wherever_pictures_are_read(
        self, judge, episode, reads_pictures
    ):
        if not reads_pictures:
            return
        lost, won = judge.score(episode(4)), judge.score(episode(4, won=True))
        assert lost.verdict is won.verdict
        np.testing.assert_array_equal(lost.progress, won.progress)
