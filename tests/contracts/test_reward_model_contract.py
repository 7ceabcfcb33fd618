"""The RewardModel contract, run on every judge there is."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from agent.episode import Terminated, Truncated, Verdict
from agent.reward.chat import ChatReader
from agent.reward.judge import FrameJudge
from agent.reward.outcome import OutcomeJudge
from agent.reward.person import Asking, OperatorJudge
from agent.reward.robometer import RobometerReader
from agent.reward.silence import Forbearing
from agent.reward.vlm import VlmReader
from tests.contracts.reward_model_contract import RewardModelContract
from tests.reward.judged import MuteReader, episode_of, told
from tests.reward.servers import CAMERAS, line, save_small, serving

torch.set_num_threads(1)


def noisy(view, number):
    rng = np.random.default_rng(number)
    images = {name: rng.integers(0, 256, (32, 32, 3), np.uint8) for name in CAMERAS}
    return replace(view, images=images)


def episode(decisions, *, won=False):
    """Views of noise through two cameras."""
    plain = episode_of(*[0.0] * (decisions + 1))
    steps = tuple(
        replace(step, observation=noisy(step.observation, number))
        for number, step in enumerate(plain.steps)
    )
    ending = Terminated("success") if won else Truncated("timeout")
    return replace(plain, steps=steps, last=noisy(plain.last, decisions), ending=ending)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_small(tmp_path_factory.mktemp("vlm") / "small")


@pytest.fixture(scope="module")
def address(folder):
    with serving(folder) as address:
        yield address


def tells_failure(_question):
    return Verdict.FAILURE


MADE = {
    "outcome": lambda folder, address: OutcomeJudge(),
    "vlm": lambda folder, address: FrameJudge(VlmReader(folder), told(every_views=2)),
    "chat": lambda folder, address: FrameJudge(ChatReader(line(address)), told(every_views=4)),
    "robometer": lambda folder, address: FrameJudge(RobometerReader(line(address)), told()),
    "operator": lambda folder, address: OperatorJudge(tells_failure, spoken=False),
    "vlm, then operator": lambda folder, address: Asking(
        FrameJudge(VlmReader(folder), told(most_uncertain=0.0)), tells_failure
    ),
}


@pytest.mark.parametrize("kind", MADE)
class TestJudges(RewardModelContract):
    @pytest.fixture
    def judge(self, kind, folder, address):
        return MADE[kind](folder, address)

    @pytest.fixture
    def episode(self):
        return episode

    @pytest.fixture
    def reads_pictures(self, kind):
        return kind not in {"outcome", "operator"}


class TestForbearing(RewardModelContract):
    """A judge that never answers still keeps the contract, once it is borne with."""

    @pytest.fixture
    def judge(self):
        return Forbearing(FrameJudge(MuteReader(), told()))

    @pytest.fixture
    def episode(self):
        return episode

    @pytest.fixture
    def reads_pictures(self):
        return True

    def test_a_verdict_has_a_probability_and_a_source(self, judge, episode):
        assert judge.score(episode(5)).source == "unlabelled: nobody is there"
