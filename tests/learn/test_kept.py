"""What a learner keeps has a bound, and what is doubted is let go of."""

import numpy as np
import pytest
import torch

from agent.episode import Verdict
from agent.errors import DataError
from agent.learn.bank import Bank
from agent.learn.baseline import Baseline
from agent.learn.ppo import PPOLearner
from agent.learn.record import Acted, Outline, Views
from agent.learn.replay import DECISIONS, Replay
from agent.learn.waiting import most
from agent.policy.policy import VLAPolicy
from tests.learn.played import judged, learning, play, weights

torch.set_num_threads(1)


def acted(name, count=3, *, success=True):
    """An episode whose tokens say which it was, and which decision."""
    views = Views(torch.zeros(count, 1, 2), None, torch.ones(count, 2).long(), torch.ones(count, 2))
    tokens = 10_000 * int(name) + torch.arange(count)[:, None].expand(count, 7)
    return Acted(
        name, "go", 0, views, tokens, torch.zeros(count, 7),
        torch.ones(count, 7, dtype=torch.bool), 1.0, success,
    )  # fmt: skip


def outline(name, count):
    return Outline(name, "go", torch.zeros(count + 1, 4), torch.zeros(count + 1), terminated=True)


def seen(replay):
    """Which episodes a replay draws from."""
    drawn = replay.draw(500, 1.0, torch.Generator().manual_seed(0))
    return sorted({int(token) // 10_000 for token in drawn.tokens[:, 0]})


def test_a_replay_keeps_the_last_successes_and_no_failure():
    replay = Replay(2)
    for name in "123":
        replay.take(acted(name))
    replay.take(acted("4", success=False))
    assert seen(replay) == [2, 3]
    assert len(replay) == 6


def test_a_replay_is_bounded_in_decisions_whatever_it_was_told():
    replay = Replay(1000)
    for number in range(5):
        replay.take(acted(str(number), count=1024))
    assert len(replay) == DECISIONS == 4096
    assert seen(replay) == [1, 2, 3, 4]


def test_a_replay_draws_by_its_luck_alone():
    replay = Replay(3)
    for name in "12":
        replay.take(acted(name))
    drawn = [replay.draw(16, 0.7, torch.Generator().manual_seed(n)) for n in (1, 1, 2)]
    assert torch.equal(drawn[0].tokens, drawn[1].tokens)
    assert not torch.equal(drawn[0].tokens, drawn[2].tokens)
    assert drawn[0].temperature == 0.7
    assert len(drawn[0]) == 16


def test_what_is_forgotten_is_neither_replayed_nor_banked():
    replay, bank = Replay(3), Bank()
    for name in "12":
        replay.take(acted(name))
        bank.take(acted(name))
    for kept in (replay, bank):
        kept.forget("1")
        kept.forget("unknown")
    assert seen(replay) == [2]
    assert len(replay) == 3
    assert list(bank._kept) == ["2"]


def test_the_critic_is_fitted_on_the_last_decisions_alone():
    settings = learning(memory=1000, every_episodes=1, warmup_episodes=0)
    baseline = Baseline(settings)
    for number in range(most(settings) + 40):
        baseline.observe(outline(f"{number:06d}", 10), np.full(10, number % 2, np.float32))
    _, metrics = baseline.advantages([f"{most(settings) + 39:06d}"], 0)
    assert metrics["critic/decisions"] == 1000.0


def test_what_waits_for_the_next_update_is_never_let_go_of():
    settings = learning(memory=1, every_episodes=1, warmup_episodes=0)
    baseline = Baseline(settings)
    names = [f"{number:06d}" for number in range(200)]
    for name in names:
        baseline.observe(outline(name, 2), np.ones(2, np.float32))
    expected, metrics = baseline.advantages(names[-most(settings) :], 0)
    assert len(expected) == most(settings)
    assert metrics["critic/decisions"] == 2.0 * most(settings)


def test_doubted_episodes_leave_no_trace_in_what_is_learned(point_checkpoint, tmp_path):
    made = []
    for doubt in (False, True):
        policy = VLAPolicy(point_checkpoint)
        learner = PPOLearner(policy, learning(replay=4, clone_weight=0.5, epochs=1), seed=0)
        early, late = play(policy, 4, seed=1), play(policy, 8, seed=2)
        if doubt:
            for scored in early:
                learner.observe(judged(scored, Verdict.SUCCESS))
            learner.forget([scored.episode.id for scored in early])
            with pytest.raises(DataError, match="observed once"):
                learner.update(early, 1, tmp_path / "doubted")
        for scored in late:
            learner.observe(scored)
        metrics = learner.update(late, 1, tmp_path / str(doubt))
        assert metrics["update/replayed"] == 0.0
        made.append(weights(policy, "candidate"))
    assert made[0] == made[1]


def test_successes_of_before_are_cloned_and_those_of_this_batch_are_not_among_them(
    point_checkpoint, tmp_path
):
    policy = VLAPolicy(point_checkpoint)
    learner = PPOLearner(policy, learning(replay=2, clone_weight=0.5), seed=0)
    first = [judged(s, Verdict.SUCCESS) for s in play(policy, 3, seed=1)]
    first.append(judged(play(policy, 4, seed=1)[3], Verdict.FAILURE))
    second = play(policy, 8, seed=2)
    for scored in first:
        learner.observe(scored)
    found = learner.update(first, 1, tmp_path / "1")
    assert (found["update/replayed"], found["update/replay_loss"]) == (0.0, 0.0)
    for scored in second:
        learner.observe(scored)
    found = learner.update(second, 2, tmp_path / "2")
    # The last two of the three successes.
    assert found["update/replayed"] == sum(len(s.episode.steps) for s in first[1:3])
    assert found["update/replay_loss"] > 0.1


def test_a_replay_raises_what_it_holds(point_checkpoint, tmp_path):
    rise = []
    for weight in (1e-9, 2.0):
        policy = VLAPolicy(point_checkpoint)
        learner = PPOLearner(policy, learning(replay=1, clone_weight=weight, epochs=6), seed=0)
        (old,) = [judged(s, Verdict.SUCCESS) for s in play(policy, 1, seed=1)]
        learner.observe(old)
        batch = play(policy, 8, seed=2)
        for scored in batch:
            learner.observe(scored)
        rise.append(learner.update(batch, 1, tmp_path / str(weight))["update/replay_loss"])
    # Mean over the update's steps: the first is the same, the later ones are lower.
    assert rise[1] < rise[0] - 0.05
