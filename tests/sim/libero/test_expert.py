import pytest

from agent.episode import Terminated
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


def test_the_expert_refuses_a_robot_that_is_not_libero():
    with pytest.raises(UsageError, match="drives LIBERO"):
        LiberoExpert(object())
