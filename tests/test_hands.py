import numpy as np
import pytest

from agent.episode import Action
from agent.errors import UsageError
from agent.hands import NoisyHands

ASKED = Action(np.array([0.1, 0, 0, 0, 0, 0], np.float32), 1.0)


def test_the_share_of_replaced_actions_is_the_one_asked_for(table, task):
    hands = NoisyHands(table, 0.2, seed=1)
    kept = []
    for start in range(10):
        hands.reset(task(start=start, horizon_steps=100))
        kept.append(hands.step([ASKED] * 100).executed)
    # 1000 steps hold about 67 bursts: a scatter of about 0.2 / sqrt 67 = 0.024
    assert 1 - np.concatenate(kept).mean() == pytest.approx(0.2, abs=0.07)


def test_what_was_done_instead_is_reported(table, task):
    hands = NoisyHands(table, 0.5, seed=0)
    hands.reset(task())
    reading = hands.step([ASKED] * 40)
    for action, own in zip(reading.applied, reading.executed, strict=True):
        assert np.array_equal(action.delta, ASKED.delta) == bool(own)
    assert 0 < reading.executed.sum() < 40


def test_the_same_task_gets_the_same_noise(table, task):
    hands = NoisyHands(table, 0.3, seed=5)
    tracks = []
    for seed in (0, 0, 1):
        hands.reset(task(seed=seed))
        tracks.append(hands.step([ASKED] * 30).track)
    assert np.array_equal(tracks[0], tracks[1])
    assert not np.array_equal(tracks[0], tracks[2])


def test_a_fraction_beyond_nine_tenths_is_refused(table):
    with pytest.raises(UsageError, match="fraction"):
        NoisyHands(table, 0.95, seed=0)
