"""A person as a judge: by words a robot hears, or by keys of a terminal."""

import os
import pty
import subprocess
import sys
import time

import pytest

from agent.cli.person import person_at
from agent.episode import Terminated, Verdict
from agent.errors import UsageError
from agent.reward.judge import FrameJudge
from agent.reward.person import SOURCE, Asking, Heeding, OperatorJudge
from tests.reward.judged import TIMED_OUT, WON, BrightReader, episode_of, told

ASK = """
import sys
from agent.cli.person import person_at
said = person_at(object(), float(sys.argv[1]), lambda: False)("did it?")
sys.stdout.write(said.value)
"""


class Hearing:
    """A robot that a person speaks to."""

    def __init__(self, *words):
        self.words = [(), *((word,) for word in words)]

    def heard(self):
        return self.words.pop(0) if self.words else ()


def asked(*answers):
    """A person with these answers, and what was asked."""
    questions, left = [], list(answers)

    def ask(question):
        questions.append(question)
        return left.pop(0)

    return ask, questions


def test_the_word_that_ended_an_episode_is_the_persons_own():
    ask, questions = asked()
    judge = OperatorJudge(ask, spoken=True)
    assert judge.score(episode_of(0.0, 0.5, ending=WON)).verdict is Verdict.SUCCESS
    failed = episode_of(0.0, 0.5, ending=Terminated("fault"))
    assert judge.score(failed).verdict is Verdict.FAILURE
    assert questions == []


def test_where_nothing_was_said_the_person_is_asked():
    ask, questions = asked(Verdict.SUCCESS, Verdict.UNKNOWN)
    judge = OperatorJudge(ask, spoken=True)
    signal = judge.score(episode_of(0.0, 0.5, ending=TIMED_OUT))
    assert (signal.verdict, signal.source, signal.progress[-1]) == (Verdict.SUCCESS, SOURCE, 1.0)
    assert questions == ["episode 000001: did the robot 'lift the cube'?"]
    assert judge.score(episode_of(0.0, 0.5)).verdict is Verdict.UNKNOWN


def test_a_simulators_ending_is_no_persons_word():
    ask, questions = asked(Verdict.FAILURE)
    judge = OperatorJudge(ask, spoken=False)
    assert judge.score(episode_of(0.0, 0.5, ending=WON)).verdict is Verdict.FAILURE
    assert len(questions) == 1


def test_another_judge_is_helped_out_only_where_it_does_not_know():
    ask, questions = asked(Verdict.SUCCESS, Verdict.UNKNOWN)
    judge = Asking(FrameJudge(BrightReader(), told()), ask)
    assert judge.score(episode_of(0.0, 0.9)).verdict is Verdict.SUCCESS
    assert questions == []
    signal = judge.score(episode_of(0.0, 0.55))
    assert signal.verdict is Verdict.SUCCESS
    assert signal.source == "operator/1 where unknown to rule/bright@000000000000"
    assert signal.progress[-1] == pytest.approx(0.55, abs=0.01)  # what the judge saw stays
    assert judge.score(episode_of(0.0, 0.55)).verdict is Verdict.UNKNOWN


def test_a_persons_word_goes_before_another_judge():
    judge = Heeding(FrameJudge(BrightReader(), told()))
    signal = judge.score(episode_of(0.0, 0.2, ending=WON))
    assert (signal.verdict, signal.success_probability) == (Verdict.SUCCESS, 1.0)
    assert signal.source == "operator/1 over rule/bright@000000000000"
    failed = episode_of(0.0, 0.9, ending=Terminated("fault"))
    assert judge.score(failed).verdict is Verdict.FAILURE
    assert judge.score(episode_of(0.0, 0.9)).source == "rule/bright@000000000000"


def test_words_a_robot_hears_are_answers_and_other_words_are_not():
    ask = person_at(Hearing("hold", "failure"), 10.0, lambda: False)
    assert ask("did it?") is Verdict.FAILURE


def test_nobody_answers_for_ever_and_a_stop_ends_the_wait():
    began_s = time.monotonic()
    assert person_at(Hearing(), 0.3, lambda: False)("did it?") is Verdict.UNKNOWN
    assert person_at(Hearing(), 60.0, lambda: True)("did it?") is Verdict.UNKNOWN
    assert time.monotonic() - began_s < 5.0


def test_without_a_terminal_nobody_can_be_asked(monkeypatch, tmp_path):
    with (tmp_path / "empty").open("w+") as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        with pytest.raises(UsageError, match="a terminal wanted to ask a person at"):
            person_at(object(), 1.0, lambda: False)


def at_a_terminal(keys, wait_s):
    """Ask in a process with a terminal of its own; presses keys once the question is there."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", ASK, str(wait_s)],
        stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as asking:  # fmt: skip
        assert asking.stderr.readline().startswith("did it? s success")
        time.sleep(0.3)  # what is typed before the question is no answer
        os.write(ours, keys)
        said, _ = asking.communicate(timeout=20)
    os.close(ours)
    os.close(theirs)
    return said


def test_one_key_answers_at_a_terminal():
    assert at_a_terminal(b"qs", 20.0) == "success"
    assert at_a_terminal(b"n", 20.0) == "failure"


def test_silence_at_a_terminal_is_unknown():
    assert at_a_terminal(b"?", 0.8) == "unknown"
