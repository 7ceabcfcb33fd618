"""The point robot under a guard: it notes who acts, and its bridge fails when a test says so."""

from typing import ClassVar

from tests.point_robot import PointRobot


class FlakyRobot(PointRobot):
    """Raises the errors in `faults`, one at each step, before it moves; a None lets one pass."""

    faults: ClassVar[list] = []

    def __init__(self, settings):
        super().__init__(settings)
        self.acted, self.stop_wanted = [], None

    def acting(self, adapter, episodes):
        self.acted.append((adapter, episodes))

    def heed(self, stop_wanted):
        self.stop_wanted = stop_wanted

    def step(self, actions):
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault
        return super().step(actions)
