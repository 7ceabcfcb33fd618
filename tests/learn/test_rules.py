"""Every rule makes what was rewarded likelier, and what it has no advantage for stays out."""

import pytest
import torch

from agent.episode import Verdict
from agent.errors import DataError
from agent.learn import explanation
from agent.learn.ppo import PPOLearner
from agent.policy.policy import VLAPolicy
from tests.learn.played import judged, learning, play, weights

torch.set_num_threads(1)

RULES = ["ppo", "rft", "rloo", "grpo"]


@pytest.fixture
def policy(point_checkpoint):
    return VLAPolicy(point_checkpoint)


def learned(policy, episodes, out, **changes):
    """Learn from some episodes, and say what it made of each."""
    learner = PPOLearner(policy, learning(kl_weight=0.0, **changes), seed=0)
    for scored in episodes:
        learner.observe(scored)
    metrics = learner.update(episodes, 1, out)
    return metrics, explanation.read(out / explanation.FILE)


def by_parity(scored):
    """Judged by the first token alone: an odd one succeeds."""
    odd = scored.episode.steps[0].decision.tokens[0] % 2
    return judged(scored, Verdict.SUCCESS if odd else Verdict.FAILURE)


def first_ratio(told, episodes, verdict):
    """Mean probability of the first token after over that before, over episodes of a verdict."""
    chosen = [s.episode.id for s in episodes if s.signal.verdict is verdict]
    ratios = [float(told[name].ratio[0, 0]) for name in chosen]
    return sum(ratios) / len(ratios)


@pytest.mark.parametrize("rule", RULES)
def test_a_rewarded_token_becomes_likelier_and_a_failed_one_not(policy, tmp_path, rule):
    episodes = [by_parity(scored) for scored in play(policy, 16, start=0)]
    metrics, told = learned(
        policy, episodes, tmp_path / "1", rule=rule, ratio="token", learning_rate=1e-3, epochs=4
    )
    assert first_ratio(told, episodes, Verdict.SUCCESS) > 1.1
    if rule == "rft":  # failures are not even looked at
        taught = sum(len(s.episode.steps) for s in episodes if s.signal.verdict == "success")
        assert metrics["update/decisions_taught"] <= taught
    else:
        assert first_ratio(told, episodes, Verdict.FAILURE) < 0.95
    assert metrics["critic/decisions"] == (metrics["update/decisions"] if rule == "ppo" else 0.0)


@pytest.mark.parametrize("rule", ["rft", "rloo", "grpo"])
def test_what_has_no_advantage_changes_nothing(policy, tmp_path, rule):
    # Start 1 succeeds always, start 2 never, start 0 by parity.
    mixed = [by_parity(scored) for scored in play(policy, 8, start=0)]
    won = [judged(s, Verdict.SUCCESS) for s in play(policy, 4, seed=2, start=1)]
    lost = [judged(s, Verdict.FAILURE) for s in play(policy, 4, seed=3, start=2)]
    teaching = mixed + won if rule == "rft" else mixed
    idle = lost if rule == "rft" else won + lost
    made = []
    for number, batch in enumerate((teaching, teaching + idle)):
        metrics, told = learned(policy, batch, tmp_path / str(number), rule=rule)
        made.append(weights(policy, "candidate"))
    assert made[0] == made[1]
    for scored in idle:
        assert not told[scored.episode.id].weighed.any()
    assert metrics["update/groups"] == 3.0
    assert metrics["update/groups_agreed"] == (0.0 if rule == "rft" else 2.0)
    assert metrics["update/decisions_taught"] < metrics["update/decisions"]


@pytest.mark.parametrize("rule", ["rft", "rloo", "grpo"])
def test_the_control_gives_the_same_advantages_to_other_episodes(policy, tmp_path, rule):
    episodes = [by_parity(scored) for scored in play(policy, 12, start=0)]
    given = []
    for number, control in enumerate(("", "random-advantage")):
        out = tmp_path / str(number)
        _, told = learned(policy, episodes, out, rule=rule, control=control)
        given.append([float(told[s.episode.id].weighed[0]) for s in episodes])
    assert sorted(given[0]) == sorted(given[1])
    assert given[0] != given[1]


@pytest.mark.parametrize(
    ("rule", "verdict", "why"),
    [
        ("rft", Verdict.FAILURE, "no success among 4 episodes"),
        ("rloo", Verdict.SUCCESS, "no difference in outcome within any of 1 groups"),
        ("grpo", Verdict.FAILURE, "no difference in outcome within any of 1 groups"),
    ],
)
def test_a_batch_that_teaches_nothing_by_a_rule_is_refused(policy, tmp_path, rule, verdict, why):
    episodes = [judged(scored, verdict) for scored in play(policy, 4, start=0)]
    with pytest.raises(DataError, match=why):
        learned(policy, episodes, tmp_path / "1", rule=rule)
    assert not list(tmp_path.iterdir())


def test_successes_alone_are_enough_to_clone(policy, tmp_path):
    episodes = [judged(scored, Verdict.SUCCESS) for scored in play(policy, 4)]
    metrics, _ = learned(policy, episodes, tmp_path / "1", rule="rft")
    assert metrics["update/policy_loss"] == pytest.approx(metrics["update/clone_loss"])
    assert metrics["update/advantage_std"] == 0.0
