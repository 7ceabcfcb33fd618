"""A recorded episode behind the Robot seam."""

import numpy as np
import pytest

from agent.episode import Action, Decision, Episode, RobotCard, Step, Task, Terminated
from agent.errors import DataError, UsageError
from agent.settings import RobotSettings
from bridges.replay import ReplayRobot
from sim.tabletop.robot import Tabletop
from tests.contracts.robot_contract import STILL, RepeatableRobotContract, move

ASKED = (
    (STILL, STILL, STILL, STILL),
    (move(0.5, 0, 0, 0, 0, 0), move(3.0, 0, 0, 0, 0, 0), STILL, STILL),
    (move(0, 0.5, 0, 0, 0, 0),) * 4,
)  # fmt: skip


@pytest.fixture(scope="module")
def played():
    """Three decisions of four actions on the tabletop, the last one cut short by success."""
    tabletop = Tabletop(RobotSettings(image_px=32))
    task = Task("lift-red-cube", "lift the red cube", 3, 40)
    view, steps = tabletop.reset(task), []
    for actions in ASKED:
        decision = Decision(actions, np.zeros(28, np.int16), np.zeros(28, np.float32), "base", 1.0)
        reading = tabletop.step(actions)
        applied, track = reading.applied, reading.track
        if actions is ASKED[-1]:
            applied, track = applied[:2], track[:2]
        steps.append(Step(view, decision, applied, reading.executed, track))
        view = reading.observation
    tabletop.close()
    ending = Terminated("success")
    return Episode("000003", task, "base", 1.0, tuple(steps), view, ending), tabletop.card


@pytest.fixture(scope="module")
def robot(played):
    robot = ReplayRobot(*played)
    yield robot
    robot.close()


class TestReplay(RepeatableRobotContract):
    pass


def test_what_was_asked_then_leads_through_the_same_episode(played, robot):
    episode, _ = played
    view = robot.reset(episode.task)
    for step, after in zip(episode.steps, [*episode.steps[1:], None], strict=True):
        assert np.array_equal(view.images["agentview"], step.observation.images["agentview"])
        reading = robot.step(step.decision.actions)
        pairs = zip(reading.applied, step.applied, strict=True)
        assert all(np.array_equal(now.delta, then.delta) for now, then in pairs)
        assert np.array_equal(reading.track, step.track)
        seen = after.observation if after else episode.last
        assert np.array_equal(reading.observation.images["agentview"], seen.images["agentview"])
        view = reading.observation
    # the full-scale cut of the second decision is told again: 3.0 was asked, 1.0 carried out
    assert reading.ending == Terminated("success")
    assert len(reading.applied) == 2


def test_an_action_that_was_not_carried_out_then_is_not_executed_now(played, robot):
    episode, _ = played
    robot.reset(episode.task)
    other = Action(np.full(6, 0.25, np.float32), 1.0)
    first = robot.step([STILL, other, STILL, STILL])
    assert first.executed.tolist() == [True, False, True, True]
    # asked for again, what was cut then is cut again
    second = robot.step(ASKED[1])
    assert second.executed.tolist() == [True, False, True, True]
    assert second.applied[1].delta[0] == 1.0


def test_between_decisions_the_last_picture_comes_with_the_proprioception_of_the_moment(
    played, robot
):
    episode, _ = played
    robot.reset(episode.task)
    robot.step([STILL] * 4)
    reading = robot.step([STILL] * 2)
    seen = episode.steps[1].observation
    assert np.array_equal(reading.observation.images["agentview"], seen.images["agentview"])
    assert np.array_equal(reading.observation.proprio, episode.steps[1].track[1])


def test_another_task_and_another_robots_card_are_refused(played, robot):
    episode, card = played
    with pytest.raises(UsageError, match="from start 3 wanted"):
        robot.reset(Task("lift-red-cube", "lift the red cube", 4, 40))
    with pytest.raises(DataError, match="cameras"):
        ReplayRobot(episode, RobotCard("other", ("front",), card.proprio, 20.0, card.full_scale))
