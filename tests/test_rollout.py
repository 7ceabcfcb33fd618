"""One episode: every step is kept as it was, and whatever happens the robot comes to rest."""

import itertools
import math

import numpy as np
import pytest

from agent.clock import now_s
from agent.episode import Task, Terminated, Truncated
from agent.errors import RobotFault, SafetyStop
from agent.reward.outcome import OutcomeJudge
from agent.rollout import run_episode
from agent.settings import RobotSettings
from agent.store.zarr_store import ZarrStore
from tests.creeper import Creeper
from tests.point_robot import PointRobot

TASK = Task("go-right", "go right", 0, 4)


@pytest.fixture
def store(tmp_path):
    store = ZarrStore(tmp_path)
    store.open()
    yield store
    store.close()


@pytest.fixture
def robot():
    return PointRobot(RobotSettings())


def act(robot, policy, store, stop=lambda: False):
    recording = store.begin(TASK, "base", 0.5)
    return recording, run_episode(robot, policy, recording, TASK, 0.5, stop)


def test_each_step_is_the_view_that_was_answered_and_what_came_of_it(robot, store):
    policy, began_s = Creeper(0.1), now_s()
    recording, episode = act(robot, policy, store)
    # 4 steps of 0.1 x 0.1 = 0.01 to the right, then time is up at 0.04, short of 0.05.
    assert [round(float(step.observation.proprio[0]), 4) for step in episode.steps] == [
        0.0, 0.01, 0.02, 0.03,
    ]  # fmt: skip
    assert [round(float(step.track[-1, 0]), 4) for step in episode.steps] == [
        0.01, 0.02, 0.03, 0.04,
    ]  # fmt: skip
    assert float(episode.last.proprio[0]) == pytest.approx(0.04)
    assert episode.ending == Truncated("timeout")
    assert policy.shown == [
        (s.observation.time_s, s.observation.proprio[0], 0.5) for s in episode.steps
    ]
    decided = [step.times.decided_s for step in episode.steps]
    assert began_s <= decided[0] < decided[1] < decided[2] < decided[3] <= now_s()
    # this robot has no command path to measure
    assert all(math.isnan(step.times.sent_s) for step in episode.steps)
    assert (episode.task, episode.adapter, episode.temperature) == (TASK, "base", 0.5)
    recording.seal(OutcomeJudge().score(episode))
    assert store.ids() == (episode.id,)


def test_an_ending_within_a_chunk_leaves_the_rest_undone(robot, store):
    _, episode = act(robot, Creeper(0.4, actions=4), store)
    # 0.04, then 0.08 is beyond 0.05: two of four actions.
    (step,) = episode.steps
    assert (len(step.decision.actions), len(step.applied), len(step.track)) == (4, 2, 2)
    assert step.executed.tolist() == [True, True, False, False]
    assert episode.ending == Terminated("success")
    assert episode.control_steps == 2
    assert robot.rests == 1


def test_a_stop_is_asked_for_before_each_decision(robot, store):
    answers = iter([False, False, True])
    _, episode = act(robot, Creeper(0.1), store, lambda: next(answers))
    assert len(episode.steps) == 2
    assert episode.ending == Truncated("stopped")
    assert robot.rests == 1


def test_a_stop_before_the_first_decision_moves_nothing(robot, store):
    policy = Creeper(0.1)
    _, episode = act(robot, policy, store, lambda: True)
    assert episode.steps == ()
    assert policy.shown == []
    assert episode.ending == Truncated("stopped")


class Failing(Creeper):
    """Answers twice, then raises."""

    def __init__(self, error):
        super().__init__(0.1)
        self.error = error

    def act(self, views, temperature):
        if len(self.shown) == 2:
            raise self.error
        return super().act(views, temperature)


@pytest.mark.parametrize(
    "error", [SafetyStop("not finite"), RobotFault("no answer"), KeyboardInterrupt(), OSError("x")]
)
def test_whatever_goes_wrong_the_robot_rests_and_the_steps_are_kept(robot, store, tmp_path, error):
    with pytest.raises(type(error)):
        act(robot, Failing(error), store)
    assert robot.rests == 1
    assert store.ids() == ()
    (folder,) = (tmp_path / "interrupted").iterdir()
    record = (folder / "episode.json").read_text()
    assert type(error).__name__ in record
    # The store goes on with the next episode, under another id.
    recording, episode = act(robot, Creeper(1.0), store)
    recording.seal(OutcomeJudge().score(episode))
    assert store.ids() == (episode.id,) != (folder.name,)


def test_a_robot_that_fails_at_reset_rests_too(store, tmp_path):
    class Broken(PointRobot):
        def reset(self, task):
            raise RobotFault("no camera")

    robot = Broken(RobotSettings())
    with pytest.raises(RobotFault, match="no camera"):
        act(robot, Creeper(0.1), store)
    assert robot.rests == 1
    assert len(list((tmp_path / "interrupted").iterdir())) == 1


def test_arrays_of_a_step_are_its_own(robot, store):
    _, episode = act(robot, Creeper(0.1), store)
    felt = [step.observation.proprio for step in episode.steps]
    assert not any(np.shares_memory(a, b) for a, b in itertools.pairwise(felt))
