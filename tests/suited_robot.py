"""A point robot that offers a suite of two tasks, as LIBERO offers its own."""

from agent.episode import Suite, TaskCard
from agent.errors import RobotFault
from tests.point_robot import PX, PointRobot


class SuitedRobot(PointRobot):
    """Both tasks are the point's; a task whose start state is 7 is broken."""

    def tasks(self):
        (card,) = super().tasks()
        return tuple(
            TaskCard(f"points/{n}", card.instruction, 4, card.train, card.gate, card.held_out)
            for n in range(2)
        )

    def suites(self):
        return (Suite("points", ("points/0", "points/1"), 20, 3, PX),)

    def reset(self, task):
        if task.start == 7:
            raise RobotFault("the point fell off the line; put it back")
        return super().reset(task)
