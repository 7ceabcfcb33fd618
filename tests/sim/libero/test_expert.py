import numpy as np
import pytest

from agent.episode import Action, Task, Terminated
from agent.errors import UsageError
from agent.settings import RobotSettings
from sim.libero.expert import LiberoExpert
from sim.libero.robot import Libero

pytestmark = [pytest.mark.libero, pytest.mark.slow]


class _Wrapped:
    """A robot around a robot, as perturbations are."""

    def __init__(self, inner):
        self.inner = inner


@pytest.mark.usefixtures("libero")
def test_the_expert_puts_the_soup_into_the_basket_through_a_wrapper(task):
    robot = Libero(RobotSettings(name="libero"), cameras=())
    expert = LiberoExpert(_Wrapped(robot))
    view, ending, decisions = robot.reset(task(start=30)), None, []
    while ending is None:
        (decision,) = expert.act([view], temperature=1.0)
        reading = robot.step(decision.actions)
        view, ending = reading.observation, reading.ending
        decisions.append(decision)
    robot.close()
    assert ending == Terminated("success")
    assert {(len(d.actions), d.tokens.shape, d.adapter) for d in decisions} == {(1, (0,), "expert")}


@pytest.mark.usefixtures("libero")
@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("libero_goal/0", 120),  # a drawer
        ("libero_goal/5", 120),  # a plate slid over the table
        ("libero_goal/7", 120),  # a knob
    ],
)
def test_the_expert_opens_slides_and_turns(name, most):
    robot = Libero(RobotSettings(name="libero"), cameras=())
    card = next(card for card in robot.tasks() if card.name == name)
    view = robot.reset(Task(card.name, card.instruction, 30, most, 0))
    expert, ending = LiberoExpert(robot), None
    while ending is None:
        reading = robot.step(expert.act([view], temperature=1.0)[0].actions)
        view, ending = reading.observation, reading.ending
    robot.close()
    assert ending == Terminated("success")


@pytest.mark.usefixtures("libero")
def test_the_expert_takes_over_wherever_another_has_brought_the_arm(task):
    robot = Libero(RobotSettings(name="libero"), cameras=())
    view = robot.reset(task(start=30))
    away = np.array([0.6, -0.8, -0.5, 0.2, -0.3, 0.5], dtype=np.float32)
    robot.step([Action(away, 0.0)] * 15)
    expert, ending = LiberoExpert(robot), None
    while ending is None:
        reading = robot.step(expert.act([view], temperature=1.0)[0].actions)
        view, ending = reading.observation, reading.ending
    robot.close()
    assert ending == Terminated("success")


def test_the_expert_refuses_a_robot_that_is_not_libero():
    with pytest.raises(UsageError, match="drives LIBERO"):
        LiberoExpert(object())


@pytest.mark.usefixtures("libero")
def test_the_expert_says_before_any_motion_that_it_cannot_shut_a_door():
    robot = Libero(RobotSettings(name="libero"), cameras=())
    view = robot.reset(Task("libero_10/9", "the mug into the microwave", 0, 520, 0))
    with pytest.raises(UsageError, match="knows no way to close microwave_1"):
        LiberoExpert(robot).act([view], temperature=1.0)
    robot.close()
