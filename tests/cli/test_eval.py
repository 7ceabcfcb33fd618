"""`vlarl-agent eval`, asked to stop in the middle of a try."""

import signal

import pytest

from agent.cli.build import make_policy
from agent.cli.evaluate import _scored
from agent.curriculum import tasks_of
from agent.errors import Interrupted
from tests.flaky_robot import FlakyRobot
from tests.whole_run import told


class Signalled(FlakyRobot):
    """A service manager ends the process while this arm is at its third step."""

    steps = 0

    def step(self, actions):
        self.steps += 1
        if self.steps == 3:
            signal.raise_signal(signal.SIGTERM)
        return super().step(actions)


def test_a_signal_to_stop_brings_the_arm_to_rest_and_ends_the_scoring(point_checkpoint, capsys):
    settings = told(point_checkpoint)
    robot = Signalled(settings.robot)
    tasks = tasks_of(robot.tasks(), "held_out", 10)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Interrupted, match="the arm is at rest"):
        _scored(
            settings.robot, robot, make_policy(settings), tasks, [("base", None), ("base", None)]
        )
    # the step in which it came was the last, of one adapter only, and every try ended at rest
    assert robot.steps == 3
    assert 1 <= len(robot.acted) == robot.rests <= 3
    assert robot.stop_wanted()  # a robot that waits for a person gives that up, too
    assert "stopping after this decision" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) == before
