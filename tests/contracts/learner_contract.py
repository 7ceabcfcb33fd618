"""What every Learner must do. Inherit it and give the fixture `make`."""

import dataclasses
import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from agent.episode import ScoredEpisode, Verdict
from agent.errors import DataError
from agent.learn.metrics import NAMES
from agent.protocols import AdaptablePolicy, Learner


@dataclasses.dataclass(frozen=True)
class Pupil:
    """A fresh learner, the policy it improves, and a way to act: `play(count, seed)`."""

    policy: AdaptablePolicy
    learner: Learner
    play: Callable[[int, int], Sequence[ScoredEpisode]]

    def observed(self, count=8, seed=0):
        """Episodes of the acting adapter, which the learner has seen."""
        episodes = self.play(count, seed)
        assert len({scored.signal.verdict for scored in episodes}) > 1
        for scored in episodes:
            self.learner.observe(scored)
        return episodes


def files(folder):
    """Names and bytes of a candidate."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def lost(scored):
    """The same episode, failed, with not a sign of progress."""
    nothing = np.zeros_like(scored.signal.progress)
    signal = dataclasses.replace(scored.signal, verdict=Verdict.FAILURE, progress=nothing)
    return dataclasses.replace(scored, signal=signal)


def by_another(scored):
    """The same episode, by an adapter that does not act now."""
    episode = dataclasses.replace(scored.episode, adapter="0099")
    return dataclasses.replace(scored, episode=episode)


def not_finite(scored):
    """The same episode, recorded with log-probabilities that are no numbers."""
    steps = tuple(
        dataclasses.replace(
            step,
            decision=dataclasses.replace(
                step.decision, log_probs=np.full_like(step.decision.log_probs, np.nan)
            ),
        )
        for step in scored.episode.steps
    )
    return dataclasses.replace(scored, episode=dataclasses.replace(scored.episode, steps=steps))


def replaced(scored):
    """The same episode, with not one action carried out as asked."""
    steps = tuple(
        dataclasses.replace(step, executed=np.zeros_like(step.executed))
        for step in scored.episode.steps
    )
    return dataclasses.replace(scored, episode=dataclasses.replace(scored.episode, steps=steps))


class LearnerContract:
    """`make` builds a fresh Pupil; each one acts and learns alike."""

    def test_an_update_writes_a_candidate_that_loads_and_answers_otherwise(self, make, tmp_path):
        pupil = make()
        episodes = pupil.observed()
        view = episodes[0].episode.steps[0].observation
        (before,) = pupil.policy.act([view], 0.0)
        pupil.learner.update(episodes, 1, tmp_path / "candidate")
        pupil.policy.load(tmp_path / "candidate", "0001")
        (after,) = pupil.policy.act([view], 0.0)
        assert after.adapter == "0001"
        assert not np.array_equal(before.log_probs, after.log_probs)

    def test_the_adapter_that_acts_is_not_touched(self, make, tmp_path):
        pupil = make()
        pupil.learner.update(pupil.observed(), 1, tmp_path / "1")
        pupil.policy.load(tmp_path / "1", "0001")
        was = files(tmp_path / "1")
        episodes = pupil.observed(8, 1)
        views = [scored.episode.steps[0].observation for scored in episodes]
        before = pupil.policy.act(views, 0.0)
        pupil.learner.update(episodes, 2, tmp_path / "2")
        assert pupil.policy.adapter == "0001"
        assert files(tmp_path / "1") == was
        for old, new in zip(before, pupil.policy.act(views, 0.0), strict=True):
            assert np.array_equal(old.tokens, new.tokens)
            assert np.array_equal(old.log_probs, new.log_probs)

    def test_the_same_number_gives_the_same_bytes_and_another_one_does_not(self, make, tmp_path):
        made = []
        for place, number in (("a", 1), ("b", 1), ("c", 2)):
            pupil = make()
            pupil.learner.update(pupil.observed(), number, tmp_path / place)
            made.append(files(tmp_path / place))
        assert made[0] == made[1]
        assert made[0] != made[2]

    def test_metrics_are_known_by_name_and_finite(self, make, tmp_path):
        pupil = make()
        metrics = pupil.learner.update(pupil.observed(), 1, tmp_path / "candidate")
        # What a gate finds out by trying, and how the next batch acts, is not the learner's to say.
        others = {"gate/swap_gap", "gate/trials", "gate/trial_success", "policy/temperature"}
        assert set(metrics) == set(NAMES) - others
        assert all(math.isfinite(value) for value in metrics.values())

    def test_answers_of_the_candidate_agree_and_those_of_another_do_not(self, make, tmp_path):
        pupil = make()
        episodes = pupil.observed()
        views = [scored.episode.steps[0].observation for scored in episodes]
        pupil.learner.update(episodes, 1, tmp_path / "candidate")
        with pytest.raises(DataError, match="not what was learned"):
            pupil.learner.gap(views, pupil.policy.act(views, 1.0))
        pupil.policy.load(tmp_path / "candidate", "0001")
        assert 0 <= pupil.learner.gap(views, pupil.policy.act(views, 1.0)) < 1e-4

    @pytest.mark.parametrize("spoil", [lost, by_another, not_finite, replaced])
    def test_a_batch_that_cannot_be_learned_from_is_refused(self, make, tmp_path, spoil):
        pupil = make()
        episodes = [spoil(scored) for scored in pupil.play(8, 0)]
        for scored in episodes:
            pupil.learner.observe(scored)
        self._refused(pupil, episodes, tmp_path)

    def test_nothing_and_the_unknown_and_the_used_are_refused(self, make, tmp_path):
        pupil = make()
        self._refused(pupil, [], tmp_path)
        self._refused(pupil, pupil.play(8, 0), tmp_path)
        episodes = pupil.observed()
        self._refused(pupil, [*episodes, episodes[0]], tmp_path)
        pupil.learner.update(episodes, 1, tmp_path / "candidate")
        (tmp_path / "candidate").rename(tmp_path / "used")
        self._refused(pupil, episodes, tmp_path)

    def _refused(self, pupil, episodes, tmp_path):
        there = sorted(tmp_path.iterdir())
        with pytest.raises(DataError):
            pupil.learner.update(episodes, 1, tmp_path / "candidate")
        assert sorted(tmp_path.iterdir()) == there
