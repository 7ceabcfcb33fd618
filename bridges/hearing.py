"""A node that only listens: who publishes what, how often, how old, and what it was."""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import dataclass, field
from typing import Any, Self

from agent.clock import now_s
from bridges.messages import stamp_s
from calibration.profile import Profile

_KEPT = 50
# Discovery takes a second or two on a busy machine; only what is missing is waited for so long.
_KNOWN_S = 3.0
_LOOK_S = 0.1
_NAME = "vlarl_doctor"


@dataclass(slots=True)
class Heard:
    """One topic. lag_s: wall clock at arrival minus stamp, the median; NaN without stamps."""

    topic: str
    wanted_type: str
    publishers: int = 0
    wrong_type: str = ""
    offered: str = ""
    count: int = 0
    first_s: float = math.nan
    last_s: float = math.nan
    lags_s: list[float] = field(default_factory=list)
    messages: list[Any] = field(default_factory=list)

    def take(self, message: Any) -> None:  # noqa: ANN401  any message
        """A message has arrived."""
        self.last_s = now_s()
        self.first_s = self.last_s if not self.count else self.first_s
        self.count += 1
        self.lags_s.append(time.time() - stamp_s(message))
        self.messages.append(message)
        del self.messages[:-_KEPT], self.lags_s[:-_KEPT]

    @property
    def newest(self) -> Any:  # noqa: ANN401  any message, None where none came
        """The last message."""
        return self.messages[-1] if self.messages else None

    @property
    def rate_hz(self) -> float:
        """How many came a second."""
        return (self.count - 1) / (self.last_s - self.first_s) if self.count > 1 else 0.0

    @property
    def lag_s(self) -> float:
        """How far arrivals lie behind their stamps; below 0 where those are ahead."""
        return statistics.median(self.lags_s) if self.lags_s else math.nan

    @property
    def age_s(self) -> float:
        """How old a message is when it comes, and never younger than none."""
        return max(self.lag_s, 0.0)

    def values(self, key: str) -> list[str]:
        """What diagnostics said under a key, oldest first."""
        return [
            pair.value
            for message in self.messages
            for status in message.status
            for pair in status.values
            if pair.key == key
        ]


class Hearing:
    """Subscribes to everything that a profile names. Use as a context."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._heard: dict[str, Heard] = {}

    def __enter__(self) -> Self:
        """Join the graph."""
        import rclpy
        from rclpy.executors import SingleThreadedExecutor

        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        self._node = rclpy.create_node(_NAME, context=self._context, start_parameter_services=False)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._subscribe()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave it."""
        import rclpy

        try:
            self._executor.shutdown(timeout_sec=1.0)
            self._node.destroy_node()
        finally:
            rclpy.try_shutdown(context=self._context)

    def listen(self, seconds: float) -> None:
        """Wait for the graph to be known, listen for so long, then see who was there."""
        known_s = now_s() + _KNOWN_S
        while now_s() < known_s and not self._all_are_there():
            self._executor.spin_once(timeout_sec=_LOOK_S)
        ends_s = now_s() + seconds
        while (left_s := ends_s - now_s()) > 0:
            self._executor.spin_once(timeout_sec=left_s)
        for heard in self._heard.values():
            offers = self._node.get_publishers_info_by_topic(heard.topic)
            heard.publishers = len(offers)
            types = {each.topic_type for each in offers} - {heard.wanted_type}
            heard.wrong_type = ", ".join(sorted(types))
            kinds = {each.qos_profile.reliability.name.lower().replace("_", " ") for each in offers}
            heard.offered = ", ".join(sorted(kinds))

    def _all_are_there(self) -> bool:
        return all(self._node.count_publishers(topic) for topic in self._heard)

    def of(self, topic: str) -> Heard:
        """What was heard on a topic of the profile."""
        return self._heard[self._profile.topics.full(topic)]

    def listeners(self, full: str) -> list[str]:
        """Names of the nodes that subscribe to a topic."""
        return self._named(self._node.get_subscriptions_info_by_topic(full))

    def senders(self, full: str) -> list[str]:
        """Names of the nodes that publish on a topic."""
        return self._named(self._node.get_publishers_info_by_topic(full))

    @staticmethod
    def info_topic(picture: str) -> str:
        """Where a camera tells its lens, as camera drivers have it: beside the picture."""
        return picture.removesuffix("/compressed").rpartition("/")[0] + "/camera_info"

    def _subscribe(self) -> None:
        from diagnostic_msgs.msg import DiagnosticArray
        from geometry_msgs.msg import PoseStamped
        from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState

        topics = self._profile.topics
        self._hear(JointState, topics.joint_states)
        self._hear(JointState, topics.gripper_state)
        self._hear(PoseStamped, topics.current_pose)
        self._hear(DiagnosticArray, topics.diagnostics)
        self._hear(DiagnosticArray, "guard/status")
        for camera in self._profile.cameras:
            kind, _, rest = camera.source.partition(":")
            if kind.startswith("ros"):
                self._hear(CompressedImage if kind == "ros-compressed" else Image, rest)
                self._hear(CameraInfo, self.info_topic(rest))

    def _hear(self, kind: Any, topic: str) -> None:  # noqa: ANN401  a ROS message class
        from rclpy.qos import QoSProfile, ReliabilityPolicy

        full = self._profile.topics.full(topic)
        module = kind.__module__.split(".")[0]
        heard = Heard(full, f"{module}/msg/{kind.__name__}")
        # Best effort is served by every publisher.
        quality = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
        self._node.create_subscription(kind, full, heard.take, quality)
        self._heard[full] = heard

    @staticmethod
    def _named(ends: Any) -> list[str]:  # noqa: ANN401  rclpy's endpoint infos
        return sorted(f"{each.node_namespace.rstrip('/')}/{each.node_name}" for each in ends)
