"""A judge that says nothing: episodes are kept, nothing is learned, and in the end a run stops."""

import pytest
import torch

from agent.episode import ScoredEpisode, Verdict
from agent.errors import RewardUnavailable
from agent.learn.ledger import Ledger
from agent.reward.judge import FrameJudge
from agent.reward.silence import Forbearing, SilenceWatch, unlabelled
from agent.store.reader import ZarrReader
from tests.reward.judged import BrightReader, MuteReader, episode_of, told
from tests.whole_run import Run
from tests.whole_run import told as run_told

torch.set_num_threads(1)


def test_an_episode_nobody_can_judge_is_unknown_and_says_why():
    signal = Forbearing(FrameJudge(MuteReader(), told())).score(episode_of(0.0, 0.5, 0.9))
    assert signal.verdict is Verdict.UNKNOWN
    assert signal.source == "unlabelled: nobody is there"
    assert signal.progress.tolist() == [0.0, 0.0, 0.0]
    assert signal.success_probability == 0.5


def test_a_judge_that_answers_is_left_as_it_is():
    judge = FrameJudge(BrightReader(), told())
    episode = episode_of(0.0, 0.5, 0.9)
    assert Forbearing(judge).score(episode).verdict is judge.score(episode).verdict


def test_silence_is_counted_in_a_row():
    watch, episode = SilenceWatch(3), episode_of(0.0, 0.5)
    silent = ScoredEpisode(episode, unlabelled(episode, "down"))
    heard = ScoredEpisode(episode, FrameJudge(BrightReader(), told()).score(episode))
    for scored in (silent, silent, heard, silent, silent):
        watch.note(scored)
    with pytest.raises(RewardUnavailable, match=r"3 episodes in a row .*unlabelled: down"):
        watch.note(silent)


def settings(point_checkpoint, **run):
    """A run whose judge is served where nobody listens."""
    usual = run_told(point_checkpoint, **run).model_dump()
    # Port 9 is for discarding; nothing listens there on loopback.
    usual["reward"] |= {
        "kind": "http", "url": "http://127.0.0.1:9", "retries": 0, "silent_episodes": 3
    }  # fmt: skip
    return type(run_told(point_checkpoint)).model_validate(usual)


def test_a_run_without_an_answer_ends_with_code_5_and_loses_nothing(point_checkpoint, tmp_path):
    told_so = settings(point_checkpoint, episodes=24)
    with Run(told_so, tmp_path / "run") as run, pytest.raises(RewardUnavailable) as stopped:
        run.act()
    assert stopped.value.exit_code == 5
    assert "vlarl-agent run --resume" in str(stopped.value)
    reader = ZarrReader(tmp_path / "run")
    assert reader.ids() == ("000001", "000002", "000003")
    assert all(row.source.startswith("unlabelled: http://") for row in reader.summaries())
    assert reader.interrupted() == ()
    # Whoever resumes has seen to the judge: it is given the same patience again.
    with Run(told_so, tmp_path / "run") as again, pytest.raises(RewardUnavailable):
        again.act()
    assert len(reader.ids()) == 6


def test_what_nobody_knows_is_neither_learned_from_nor_counted(point_checkpoint, tmp_path):
    # Sixteen episodes would make two updates of eight, were their outcome known.
    usual = settings(point_checkpoint, episodes=16).model_dump()
    usual["reward"]["silent_episodes"] = 100
    told_so = type(run_told(point_checkpoint)).model_validate(usual)
    with Run(told_so, tmp_path / "run") as run:
        run.act()
        assert run.session.episodes == 16
        assert run.session.record() == {}
    assert run.reports == []
    ledger = Ledger(tmp_path / "run")
    ledger.read()
    assert not ledger.used
    # Judged by the world in the same folder from then on, only what is known is learned from.
    with Run(run_told(point_checkpoint, episodes=24), tmp_path / "run") as known:
        known.act()
    assert all(int(name) > 16 for report in known.reports for name in report.episodes)
    assert len(known.reports) == 1
