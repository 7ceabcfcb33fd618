"""Who judges which run."""

import sys

import pytest

from agent.cli.build import usual
from agent.cli.judges import judging_of, make_judge, make_reader, must_be_judged
from agent.configuration import Assignment, resolve
from agent.errors import DataError, UsageError
from agent.reward.chat import ChatReader
from agent.reward.outcome import OutcomeJudge
from agent.reward.person import Heeding, OperatorJudge
from agent.reward.robometer import RobometerReader
from agent.reward.silence import Forbearing
from agent.settings import RobotSettings
from tests.point_robot import PointRobot
from tests.reward.test_person import Hearing

LOOPBACK = "http://127.0.0.1:9"


def settings(**told):
    given = [Assignment(key.replace("__", "."), value, "a test") for key, value in told.items()]
    return resolve(None, {}, (), given)


class HearingPoint(PointRobot, Hearing):
    """The point robot, with a person beside it."""

    def __init__(self):
        PointRobot.__init__(self, RobotSettings())
        Hearing.__init__(self)


def judge_of(robot, folder, **told):
    return judging_of(settings(**told).settings, folder, robot, lambda: False).judge


def test_on_a_real_arm_the_person_judges_and_in_its_rehearsal_the_simulated_arm():
    real = usual(settings(robot__name="franka"))
    assert real.settings.reward.kind == "operator"
    assert real.origins["reward.kind"] == "usual for a run on franka"
    assert real.settings.reward.online
    rehearsed = usual(settings(robot__name="franka", robot__profile="tabletop"))
    assert rehearsed.settings.reward.kind == "outcome"
    assert rehearsed.origins["reward.kind"] == "usual for a rehearsal on franka"
    told = usual(settings(robot__name="franka", reward__kind="outcome"))
    assert told.settings.reward.kind == "outcome"
    assert usual(settings()).settings.reward.kind == "outcome"


def test_each_kind_of_judge_is_the_one_that_was_named(tmp_path):
    point = PointRobot(RobotSettings())
    assert isinstance(judge_of(point, tmp_path), OutcomeJudge)
    hearing = HearingPoint()
    assert isinstance(judge_of(hearing, tmp_path, reward__kind="operator"), OperatorJudge)
    served = {"reward__kind": "http", "reward__url": LOOPBACK}
    assert isinstance(judge_of(point, tmp_path, **served), Forbearing)
    # Beside a real arm a person overrules; the rehearsal's own word must not reach the judge.
    assert isinstance(judge_of(hearing, tmp_path, **served), Heeding)
    rehearsed = judge_of(hearing, tmp_path, robot__profile="tabletop", **served)
    assert isinstance(rehearsed, Forbearing)


def test_a_served_judge_speaks_what_it_was_told_to_speak():
    told = settings(reward__kind="http", reward__url=LOOPBACK).settings.reward
    assert isinstance(make_reader(told), ChatReader)
    other = told.model_copy(update={"api": "robometer"})
    assert isinstance(make_reader(other), RobometerReader)


def test_episodes_of_the_past_need_a_judge_that_is_no_person():
    with pytest.raises(UsageError, match="episodes label"):
        make_judge(settings(reward__kind="operator").settings)


@pytest.mark.parametrize(
    ("reward", "said"),
    [
        ({"kind": "http"}, r"reward\.url: where the judge is served wanted"),
        ({"kind": "http", "url": "http://192.0.2.1"}, "is another machine"),
        ({"kind": "operator"}, "a terminal wanted to ask a person at"),
        ({"kind": "outcome", "ask": True}, "a terminal wanted to ask a person at"),
        ({"kind": "vlm", "model": "nowhere"}, "a folder of a model wanted, found nowhere"),
        ({"kind": "vlm", "agreeing": 3, "last": 2}, r"reward\.agreeing: 2 or fewer wanted"),
        ({"kind": "vlm", "calibration": "nowhere"}, "nowhere is no calibration of a judge"),
    ],
)
def test_a_judge_that_cannot_be_had_is_refused_beforehand(reward, said, monkeypatch, tmp_path):
    with (tmp_path / "empty").open("w+") as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        told = settings(**{f"reward__{key}": value for key, value in reward.items()}).settings
        with pytest.raises((UsageError, DataError), match=said):
            must_be_judged(told, PointRobot(RobotSettings()))


def test_a_judge_that_can_be_had_is_not_refused():
    for told in ({}, {"reward__kind": "http", "reward__url": LOOPBACK}):
        must_be_judged(settings(**told).settings, PointRobot(RobotSettings()))
    must_be_judged(settings(reward__kind="operator").settings, HearingPoint())
