"""The Learner contract: PPO with every kind of adapter and both decodings, and every other rule."""

import pytest
import torch

from agent.learn.ppo import PPOLearner
from agent.policy.policy import VLAPolicy
from benchmarks.point_session import save_point_checkpoint
from tests.contracts.learner_contract import LearnerContract, Pupil
from tests.learn.played import learning, play

torch.set_num_threads(1)

KINDS = [
    ("one-pass", "language"),
    ("one-pass", "language+projector"),
    ("one-pass", "all-linear"),
    ("autoregressive", "language"),
    ("autoregressive", "all-linear"),
]


# The others compare episodes of one start state, or keep what an update of before succeeded in.
RULES = {
    "rft": {},
    "rloo": {},
    "grpo": {"replay": 4, "clone_weight": 0.1},
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {
        decoding: save_point_checkpoint(tmp_path_factory.mktemp(decoding), decoding)
        for decoding in ("one-pass", "autoregressive")
    }


@pytest.mark.parametrize("kind", KINDS, ids=", ".join)
class TestPPOLearner(LearnerContract):
    @pytest.fixture
    def make(self, folders, kind):
        decoding, targets = kind

        def build():
            policy = VLAPolicy(folders[decoding])
            settings = learning(targets=targets, minibatch=8)
            learner = PPOLearner(policy, settings, seed=5)
            return Pupil(policy, learner, lambda count, seed: play(policy, count, seed))

        return build


@pytest.mark.parametrize("rule", RULES)
class TestOtherRules(LearnerContract):
    @pytest.fixture
    def make(self, folders, rule):
        def build():
            policy = VLAPolicy(folders["one-pass"])
            settings = learning(rule=rule, minibatch=2, epochs=1, **RULES[rule])
            learner = PPOLearner(policy, settings, seed=5)
            return Pupil(policy, learner, lambda count, seed: play(policy, count, seed, start=3))

        return build
