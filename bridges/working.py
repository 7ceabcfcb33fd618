"""Everything that a Franka's bridge is made of, woken and put to sleep in the right order."""

from __future__ import annotations

import logging
from collections.abc import Callable

from agent.episode import Task
from agent.errors import RobotFault, VlarlError
from bridges.asking import GuardLine
from bridges.cameras.sources import make_cameras
from bridges.driving import Drive
from bridges.feeling import Felt, Senses
from bridges.laying import lay_by_hand, lay_simulated
from bridges.lock import ArmLock
from bridges.messages import says_simulated
from bridges.node import Link
from bridges.observing import Views
from bridges.person import Operator
from bridges.readying import make_ready
from bridges.topic import Topic
from bridges.wire import OPERATOR_TOPIC, Kind
from calibration.profile import Profile

log = logging.getLogger(__name__)

Pause = Callable[[float], None]

_FELT_S = 5.0  # discovery takes a second or two on a busy machine
_CAMERA_S = 10.0  # a camera that was unplugged needs some seconds to start
_BEAT_S = 0.05  # the guard misses an agent after four of these
_SIMULATED_S = 3.0


class Workings:
    """Node, guard line, senses, cameras and operator of one cell. Nothing starts before `wake`."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._link = Link("vlarl_agent", profile.topics.namespace)
        self._lock = ArmLock()
        self._cameras = make_cameras(profile, self._link)
        self._diagnostics = Topic("nothing yet")
        self.operator = Operator()
        self.guard = GuardLine(profile.topics)
        self.senses = Senses(profile)
        self.views = Views(profile, self.senses, self._cameras)
        self.drive = Drive(profile, self.guard, self.senses)
        self.beating = False

    def wake(self, pause: Pause) -> None:
        """Join the graph, find the guard, and have it armed; all that is there already stays."""
        try:
            if self._link.is_open:
                self._link.check()
        except RobotFault as fault:
            log.warning("%s; starting it anew", fault)
            self.close()
        if not self._link.is_open:
            self._open(pause)
        self.guard.find(pause)
        for camera in self._cameras:
            camera.open()
        self.senses.wait(_FELT_S, pause)
        simulated = self._profile.simulated and self._is_simulated(pause)
        make_ready(self.guard, simulated=simulated, pause=pause)

    def lay(self, task: Task, pause: Pause) -> None:
        """Bring the world to the task's start state."""
        if self._profile.simulated:
            lay_simulated(self._link, self._profile.topics, task)
        else:
            lay_by_hand(self.guard, self.operator, task, pause)

    def settle(self, pause: Pause) -> Felt:
        """Wait for fresh pictures, and say what the arm feels now."""
        self.senses.forget()
        self._link.follow()
        felt = self.senses.wait(_FELT_S, pause)
        self.views.wait(_CAMERA_S, pause)
        return felt

    def rest(self) -> None:
        """Tell the guard that the episode is over. Never raises: it stops by itself as well."""
        self.beating = False
        if not self._link.is_open:
            return
        try:
            if self.guard.is_there:
                self.guard.ask(Kind.REST)
        except VlarlError as error:
            log.warning("the guard was not told to rest: %s", error)

    def close(self) -> None:
        """Leave everything. May be called twice."""
        self.beating = False
        self.operator.close()
        self.guard.close()
        for camera in self._cameras:
            camera.close()
        self._link.close()
        self._lock.release()

    def _open(self, pause: Pause) -> None:
        self._link.open()
        try:
            self._lock.take(self._link.domain, self._profile.topics.namespace)
            self.guard.wait_alone(self._link, pause)
            self._listen()
        except BaseException:
            self.close()
            raise

    def _listen(self) -> None:
        from diagnostic_msgs.msg import DiagnosticArray

        topics = self._profile.topics
        self.guard.open(self._link)
        self.senses.open(self._link)
        self.operator.open(self._link, topics.full(OPERATOR_TOPIC))
        self._diagnostics = self._link.listen(topics.full(topics.diagnostics), DiagnosticArray)
        self._link.every(_BEAT_S, self._beat)

    def _beat(self) -> None:
        if self.beating:
            self.guard.beat()

    def _is_simulated(self, pause: Pause) -> bool:
        """Whether the arm itself says that it is no real one. Raises RobotFault where it does not.

        A profile of a simulated arm on one that does not say so would arm it without a person.
        """
        for _ in range(round(_SIMULATED_S / 0.05)):
            newest = self._diagnostics.newest
            if newest is not None and says_simulated(newest.message):
                return True
            pause(0.05)
        raise RobotFault(
            f"profile {self._profile.name} is of a simulated arm, but this one does not say on "
            f"{self._diagnostics.name} that it is one; give the real arm's own profile"
        )
