"""What goes wrong in the public code of VLA-RL, one test a fault; those told elsewhere are named.

fault                                           test that catches it
adapter weights never reach the sampler         below; tests/policy/test_policy.py
merging leaves residue in the base              below; tests/policy/test_adapters.py
half-precision adapters barely change           below
softmax over words as well as actions           tests/policy/test_vla.py, test_action_tokens.py
the old log-probability is the new one          below; tests/policy/test_policy.py
the critic pools a pad                          below; tests/policy/test_vla.py
accumulation that forgets                       below; tests/learn/test_loss.py
time-outs are terminal                          below; tests/learn/test_gae.py
success is a reward above nothing               below
evaluation is one view late, or not greedy      below
the curriculum divides by nothing               tests/test_curriculum.py
no resuming                                     tests/test_session.py, tests/test_crash.py
"""

import dataclasses

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from agent.curriculum import tasks_of
from agent.episode import Verdict
from agent.evaluation import try_tasks
from agent.learn.critic import Critic
from agent.learn.ppo import CANDIDATE, REFERENCE, PPOLearner
from agent.learn.record import encode
from agent.policy.policy import VLAPolicy
from agent.reward.shaping import shape
from agent.settings import RobotSettings
from tests.creeper import Creeper
from tests.learn.played import base_bits, judged, learning, most_apart, play
from tests.point_robot import PointRobot

torch.set_num_threads(1)


# Steps long enough to be felt in one update.
BOLD = {
    "learning_rate": 1e-3, "epochs": 4, "minibatch": 32, "ratio": "token", "clip_low": 0.9,
    "clip_high": 10.0, "kl_weight": 0.0,
}  # fmt: skip


@pytest.fixture
def policy(point_checkpoint):
    return VLAPolicy(point_checkpoint)


def updated(policy, episodes, out, number=1, **changes):
    """Learn from some episodes; gives the learner's metrics."""
    learner = PPOLearner(policy, learning(**changes), seed=0)
    for scored in episodes:
        learner.observe(scored)
    return learner.update(episodes, number, out)


def chances(policy, adapter, view):
    """Chance of each of 256 bins to be the first token, by the learner's own path."""
    inputs = policy.batch([view])
    words = inputs.prompt_ids, inputs.prompt_mask
    with torch.no_grad(), policy.adapters.use(adapter):
        logits = policy.model.action_logits(policy.patches(inputs), inputs.proprio, *words)
    return torch.softmax(logits[0, 0], -1)


def test_what_an_update_makes_likely_is_sampled_as_often_once_deployed(policy, tmp_path):
    # One start state, so that every first decision answers the same view. The judge likes a
    # first token that is odd.
    episodes = [
        judged(s, Verdict.SUCCESS if s.episode.steps[0].decision.tokens[0] % 2 else Verdict.FAILURE)
        for s in play(policy, 48, start=0)
    ]
    view = episodes[0].episode.steps[0].observation
    first = [(int(s.episode.steps[0].decision.tokens[0]), s.signal.verdict) for s in episodes]
    disliked = sorted({token for token, verdict in first if verdict is Verdict.FAILURE})
    updated(policy, episodes, tmp_path / "0001", **BOLD)
    before, after = chances(policy, None, view), chances(policy, CANDIDATE, view)
    raised = after > 1.5 * before
    policy.load(tmp_path / "0001", "0001")
    policy.seed(0)
    drawn = torch.tensor([int(d.tokens[0]) for d in policy.act([view] * 1000, 1.0)])
    # It learned what the judge says, ...
    assert after[disliked].sum() < 0.7 * before[disliked].sum()
    assert after[raised].sum() > before[raised].sum() + 0.2
    # ... and what it learned is what acts. 1000 draws scatter by sqrt(p (1 - p) / 1000) <= 0.0158:
    # four of those are 0.063.
    assert float(raised[drawn].float().mean()) == pytest.approx(
        float(after[raised].sum()), abs=0.063
    )


def test_the_base_is_bit_identical_after_many_updates_and_swaps(policy, tmp_path):
    before = base_bits(policy)
    view = play(policy, 1)[0].episode.steps[0].observation
    (answer,) = policy.act([view], 0.0)
    for number in range(1, 4):
        updated(policy, play(policy, 8, seed=number), tmp_path / str(number), number)
        policy.load(tmp_path / str(number), str(number))
        policy.act([view], 1.0)
    policy.load(None, "base")
    (again,) = policy.act([view], 0.0)
    assert base_bits(policy) == before
    assert np.array_equal(again.log_probs, answer.log_probs)


def test_every_entry_with_a_gradient_changes_in_one_update_in_float32(policy, tmp_path):
    # The step of VLA-RL's 7B, at which bf16 weights changed in 5 % of their entries in 200 steps.
    updated(policy, play(policy, 16), tmp_path / "0001", learning_rate=2e-5, minibatch=8)
    moments = load_file(tmp_path / "0001" / "optimizer.safetensors")
    start, now = policy.adapters.state(REFERENCE), policy.adapters.state(CANDIDATE)
    changed = pulled = 0
    for name, weight in now.items():
        assert weight.dtype == torch.float32
        # eps, 1e-5, swallows gradients far below it: a tenth of it still moves a weight.
        felt = moments[f"{name}|exp_avg_sq"].sqrt() > 1e-6
        pulled += int(felt.sum())
        changed += int((felt & (weight != start[name])).sum())
    assert pulled > 1000
    assert changed == pulled


def test_the_ratio_is_one_before_the_first_step_and_not_after_the_last(policy, tmp_path):
    metrics = updated(policy, play(policy, 16), tmp_path / "0001")
    assert metrics["update/ratio_first"] == pytest.approx(1.0, abs=1e-4)
    assert metrics["update/sampler_gap"] < 1e-4
    # k3, the mean of r - 1 - log r, is 0 where every ratio is 1 and nowhere else.
    assert metrics["update/kl_step"] > 1e-5


def test_a_forced_large_step_is_clipped_and_a_single_first_one_is_not(policy, tmp_path):
    episodes = play(policy, 16)
    forced = updated(policy, episodes, tmp_path / "1", learning_rate=0.1, epochs=4)
    alone = updated(policy, episodes, tmp_path / "2", learning_rate=0.1, epochs=1)
    assert forced["update/clip_fraction"] > 0.1
    assert alone["update/gradient_steps"] == 1.0
    assert alone["update/clip_fraction"] == 0.0


def test_a_value_does_not_change_when_padding_is_added(policy):
    views = [s.episode.steps[0].observation for s in play(policy, 2)]
    inputs = policy.batch(views)
    pads = inputs.prompt_ids.new_zeros(2, 7)
    critic = Critic(policy.model.hidden, seed=0)
    with torch.no_grad():
        for member in critic.members:  # a fresh critic answers 0 to everything
            member[-1].weight.uniform_(-1, 1, generator=torch.Generator().manual_seed(0))
        seen = policy.patches(inputs)
        values = [
            critic.value(policy.model.feature(seen, inputs.proprio, ids, mask), torch.zeros(2))
            for ids, mask in (
                (inputs.prompt_ids, inputs.prompt_mask),
                (
                    torch.cat([pads, inputs.prompt_ids], 1),
                    torch.cat([pads.bool(), inputs.prompt_mask], 1),
                ),
            )
        ]
    assert values[0].abs().min() > 0.01
    assert torch.allclose(*values, atol=1e-5)


def test_micro_batches_make_the_same_adapter_as_one_batch(policy, tmp_path):
    # Cut-off chunks and failures among successes: every mean has parts of different sizes.
    episodes = play(policy, 16)
    masks = [step.executed.all() for s in episodes for step in s.episode.steps]
    assert 0 < sum(masks) < len(masks)
    made = []
    for size in (64, 4):
        updated(
            policy,
            episodes,
            tmp_path / str(size),
            micro_batch=size,
            kl_weight=0.5,
            clone_weight=0.5,
            learning_rate=5e-4,
        )
        made.append(policy.adapters.state(CANDIDATE))
    assert most_apart(made[0], policy.adapters.state(REFERENCE)) > 1e-4
    assert most_apart(*made) < 1e-6


def test_a_cut_off_episode_is_not_a_terminated_one_to_the_critic(policy):
    lost = next(s for s in play(policy, 16) if s.signal.verdict is Verdict.FAILURE)
    won = next(s for s in play(policy, 16) if s.signal.verdict is Verdict.SUCCESS)
    assert not encode(policy, lost)[1].terminated
    assert encode(policy, won)[1].terminated


def test_success_is_the_verdict_and_never_a_reward_above_nothing(policy, tmp_path):
    cut = [s for s in play(policy, 32) if s.signal.verdict is Verdict.FAILURE][:8]
    rising = [
        judged(
            s, Verdict.FAILURE, np.linspace(0, 0.1 * n, len(s.episode.steps) + 1, dtype=np.float32)
        )
        for n, s in enumerate(cut)
    ]
    assert sum(shape(rising[-1], 0.99, 0.5).total) > 0.3
    metrics = updated(policy, rising, tmp_path / "0001", progress_weight=0.5, clone_weight=1.0)
    assert metrics["update/success_rate"] == 0.0
    assert metrics["update/clone_loss"] == 0.0
    assert metrics["gate/forgetting"] == 0.0  # nothing was banked


def test_evaluation_is_greedy_and_answers_the_view_of_this_moment():
    robot, policy = PointRobot(RobotSettings()), Creeper(0.1)
    (trial,) = try_tasks(robot, policy, tasks_of(robot.tasks(), "held_out", 1))
    # A horizon of 4 steps, one action a decision, 0.1 x 0.1 = 0.01 a step.
    assert [(time, round(x, 4)) for time, x, _ in policy.shown] == [
        (0.0, 0.0),
        (1.0, 0.01),
        (2.0, 0.02),
        (3.0, 0.03),
    ]
    assert {temperature for *_, temperature in policy.shown} == {0.0}
    assert (trial.success, trial.control_steps) == (False, 4)


def test_evaluation_does_not_depend_on_how_the_sampler_was_seeded(policy):
    robot = PointRobot(RobotSettings())
    tasks = tasks_of(robot.tasks(), "held_out", 5)
    found = []
    for seed in (1, 2):
        policy.seed(seed)
        found.append(try_tasks(robot, policy, [dataclasses.replace(t, seed=seed) for t in tasks]))
    assert found[0] == found[1]
