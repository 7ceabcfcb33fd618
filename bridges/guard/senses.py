"""What the guard hears of the arm: asked for when it is needed, so a kilohertz costs nothing."""

from __future__ import annotations

import importlib
import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agent.clock import now_s
from agent.errors import RobotFault
from bridges.guard.arm import Arm, Mode
from bridges.guard.command import Measured
from bridges.messages import joints_of, opening_of, pose_of, says_simulated, stamp_s
from bridges.pose import Pose
from bridges.wire import REQUEST_TOPIC
from calibration.profile import Profile

if TYPE_CHECKING:
    from diagnostic_msgs.msg import DiagnosticArray

_MODES = {mode.name.lower().replace("_", ""): mode for mode in Mode}
# A gripper speaks at 10 Hz or so; older than this nobody knows how far it is open.
_GRIPPER_S = 1.0
# The arm must go on saying that it is no real one.
_SIMULATED_S = 2.0


class Slot:
    """The newest message of one topic, taken when somebody looks."""

    def __init__(self, subscription: Any, read: Callable[[Any], Any]) -> None:  # noqa: ANN401
        self._subscription, self._read = subscription, read
        self._looked_s = now_s()
        self.value: Any = None
        self.at_s = -math.inf
        self.stamp_s = math.nan
        self.trouble = ""

    def look(self) -> None:
        """Take what has come since the last look."""
        looked_s = now_s()
        with self._subscription.handle:
            taken = self._subscription.handle.take_message(
                self._subscription.msg_type, self._subscription.raw
            )
        if taken is not None:
            message, info = taken
            wall_s, arrived_s = time.time(), info["received_timestamp"] * 1e-9
            # The middleware tells arrival on the wall clock; it was between this look and the last.
            ago_s = wall_s - arrived_s if arrived_s else 0.0
            self.at_s = min(max(looked_s - ago_s, self._looked_s), looked_s)
            self.stamp_s = wall_s - (looked_s - self.at_s) - stamp_s(message)
            try:
                self.value, self.trouble = self._read(message), ""
            except RobotFault as fault:
                self.trouble = str(fault)
        self._looked_s = looked_s


class Senses:
    """Everything the guard knows of the arm and of who commands it.

    node: served by an executor. asleep: never served; its topics are looked at.
    """

    def __init__(self, profile: Profile, node: Any, asleep: Any, target: str) -> None:  # noqa: ANN401
        from diagnostic_msgs.msg import DiagnosticArray

        self._profile, self._node, self._target = profile, node, target
        self._requests = profile.topics.full(REQUEST_TOPIC)
        self._mode, self._simulated_s = Mode.OTHER, -math.inf
        self._publishers, self._agents = 1, 1
        self._agent_seen, self.known_agents = False, 0
        self._slots = dict(_slots(profile, asleep))
        node.create_subscription(
            DiagnosticArray, profile.topics.full(profile.topics.diagnostics), self._diagnosed, 10
        )

    def count(self) -> None:
        """Look who publishes; it costs more than looking at messages."""
        self._publishers = self._node.count_publishers(self._target)
        self.known_agents = agents = self._node.count_publishers(self._requests)
        # Requests may come before the graph knows who sends them: only who was seen can be gone.
        self._agents = agents if self._agent_seen else max(agents, 1)
        self._agent_seen = agents > 0

    def arm(self) -> Arm:
        """The arm as it is now."""
        for slot in self._slots.values():
            slot.look()
        joints, pose = self._slots["joints"], self._slots["pose"]
        mode = self._slots["mode"].value if "mode" in self._slots else None
        arm = Arm(
            None,
            trouble=joints.trouble or pose.trouble,
            mode=self._mode if mode is None else mode,
            simulated=now_s() - self._simulated_s < _SIMULATED_S,
            publishers=self._publishers,
            agents=self._agents,
        )
        if joints.value is None or pose.value is None:
            return arm
        where: Pose = pose.value
        measured = Measured(
            joints_rad=joints.value,
            pose=where,
            gripper=self._opening(),
            joints_at_s=joints.at_s,
            pose_at_s=pose.at_s,
            joints_stamp_s=joints.stamp_s,
            pose_stamp_s=pose.stamp_s,
        )
        return replace(arm, measured=measured)

    def _opening(self) -> float:
        gripper = self._slots["gripper"]
        known = gripper.value is not None and now_s() - gripper.at_s < _GRIPPER_S
        return float(gripper.value) if known and not gripper.trouble else math.nan

    def _diagnosed(self, message: DiagnosticArray) -> None:
        if says_simulated(message):
            self._simulated_s = now_s()
        for status in message.status:
            for pair in status.values:
                if pair.key == "robot_mode":
                    self._mode = _mode_named(str(pair.value))


def _slots(profile: Profile, asleep: Any) -> list[tuple[str, Slot]]:  # noqa: ANN401
    from geometry_msgs.msg import PoseStamped
    from rclpy.qos import QoSProfile, ReliabilityPolicy
    from sensor_msgs.msg import JointState

    newest = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    topics, gripper = profile.topics, profile.gripper

    def slot(kind: Any, name: str, read: Callable[[Any], Any]) -> Slot:  # noqa: ANN401
        full = topics.full(name)
        return Slot(asleep.create_subscription(kind, full, _unheard, newest), read)

    slots = [
        (
            "joints",
            slot(JointState, topics.joint_states, lambda m: joints_of(m, profile.joint_names)),
        ),
        ("pose", slot(PoseStamped, topics.current_pose, lambda m: pose_of(m, profile.frames.base))),
        (
            "gripper",
            slot(
                JointState,
                topics.gripper_state,
                lambda m: opening_of(m, gripper.width_m, inverted=gripper.inverted),
            ),
        ),
    ]
    if topics.robot_state:
        state = message_class("franka_msgs.msg", "FrankaRobotState", "franka-msgs")
        slots.append(("mode", slot(state, topics.robot_state, lambda m: _mode_of(m.robot_mode))))
    return slots


def message_class(module: str, name: str, package: str) -> Any:  # noqa: ANN401  a ROS class
    """A message or action class that not every ROS 2 has. Raises RobotFault naming its package."""
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise RobotFault(
            f"{module}.{name} wanted, but it cannot be imported ({error}); "
            f"apt install ros-$ROS_DISTRO-{package}, and source your ROS 2"
        ) from None


def _mode_of(number: int) -> Mode:
    """A mode by libfranka's number; a number that nobody knows is a reason to stand still."""
    return Mode(number) if number in list(Mode) else Mode.REFLEX


def _mode_named(told: str) -> Mode:
    """A mode by its name, however it is written, or by libfranka's number."""
    if told.isdecimal():
        return _mode_of(int(told))
    plain = told.lower().replace("_", "").replace(" ", "")
    return _MODES.get(plain, Mode.REFLEX)


def _unheard(_message: object) -> None:
    """Never called: nothing serves the node of these subscriptions."""
