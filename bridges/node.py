"""The agent's one ROS node and the one thread that serves it."""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable
from typing import Any, Literal

from agent.errors import RobotFault
from bridges.topic import Sample, Topic

log = logging.getLogger(__name__)

Reliability = Literal["reliable", "best effort", "as offered"]
_JOIN_S = 5.0


class Link:
    """A node in a context of its own, so that two of them in one process do not meet.

    Nothing is imported or started before `open`.
    """

    def __init__(self, name: str, namespace: str = "") -> None:
        self._name, self._namespace = name, namespace
        self._node: Any = None
        self._context: Any = None
        self._executor: Any = None
        self._thread: threading.Thread | None = None
        self._died: BaseException | None = None
        self._clients: dict[str, Any] = {}
        # Topics whose reliability follows their publishers': topic, its type, what is there now.
        self._following: dict[str, tuple[Topic, Any, Any, bool]] = {}

    @property
    def is_open(self) -> bool:
        """Whether there is a node."""
        return self._node is not None

    @property
    def domain(self) -> int:
        """The ROS domain that the node is in."""
        return int(self._context.get_domain_id())

    def open(self) -> None:
        """Start the node and its thread. Raises RobotFault where there is no ROS 2."""
        if self.is_open:
            return
        try:
            import rclpy
            from rclpy.executors import SingleThreadedExecutor
        except ImportError as error:
            raise RobotFault(
                f"ROS 2 wanted, but rclpy cannot be imported ({error}); source your ROS 2, or "
                "pip install 'vlarl-agent[ros]'"
            ) from error
        self._context = rclpy.Context()
        # Only the default context takes the signal handlers; Ctrl-C stays the session's.
        rclpy.init(context=self._context)
        try:
            self._node = rclpy.create_node(
                self._name, namespace=self._namespace, context=self._context
            )
        except BaseException:
            rclpy.try_shutdown(context=self._context)
            raise
        # More threads, and rclpy delivers less than half of a kilohertz topic.
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._died = None
        # A thread that still waits in ROS when the interpreter ends would abort the process.
        atexit.register(self.close)
        self._thread = threading.Thread(target=self._spin, name=self._name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the thread and the node. May be called twice."""
        if not self.is_open:
            return
        import rclpy

        atexit.unregister(self.close)
        node, self._node = self._node, None
        try:
            self._executor.shutdown(timeout_sec=_JOIN_S)
            if self._thread is not None:
                self._thread.join(_JOIN_S)
            node.destroy_node()
        finally:
            rclpy.try_shutdown(context=self._context)
            self._clients, self._following = {}, {}

    def check(self) -> None:
        """Raises RobotFault where nothing is received any more."""
        if not self.is_open or self._died is not None or self._thread is None:
            raise RobotFault(f"a living ROS node wanted, found it ended: {self._died}")

    def listen(
        self,
        name: str,
        message_type: Any,  # noqa: ANN401  a ROS message class
        reliability: Reliability = "best effort",
        hear: Callable[[Sample], None] | None = None,
        depth: int = 1,
    ) -> Topic:
        """Subscribe to a topic.

        "as offered" begins with best effort, which every publisher serves; `follow` changes it.
        """
        topic = Topic(name, hear)
        reliable = reliability == "reliable"
        subscription = self._subscribe(topic, message_type, depth, reliable=reliable)
        if reliability == "as offered":
            self._following[name] = (topic, message_type, subscription, False)
        return topic

    def follow(self) -> None:
        """Ask for reliable images where all publishers offer that: large ones need it.

        Through the default shared memory, best effort loses more than half of 640x480 frames;
        but a reliable subscriber gets nothing at all from a best-effort publisher.
        """
        from rclpy.qos import ReliabilityPolicy

        for name, (topic, message_type, subscription, reliable) in list(self._following.items()):
            offers = self._node.get_publishers_info_by_topic(name)
            wanted = bool(offers) and all(
                each.qos_profile.reliability == ReliabilityPolicy.RELIABLE for each in offers
            )
            if wanted == reliable or not offers:
                continue
            # Ended by another thread than waits for it, it may end that wait with InvalidHandle.
            self._executor.create_task(self._node.destroy_subscription, subscription)
            renewed = self._subscribe(topic, message_type, 1, reliable=wanted)
            self._following[name] = (topic, message_type, renewed, wanted)
            log.info("%s is now received %s", name, "reliably" if wanted else "as best effort")

    def every(self, period_s: float, call: Callable[[], None]) -> None:
        """Call something again and again, on the thread that receives."""
        self._node.create_timer(period_s, call)

    def publisher(self, name: str, message_type: Any, depth: int = 1) -> Any:  # noqa: ANN401
        """A reliable publisher."""
        return self._node.create_publisher(message_type, name, depth)

    def publishers(self, name: str) -> int:
        """How many publish on a topic, as far as is known here."""
        return int(self._node.count_publishers(name))

    def call(self, name: str, service_type: Any, request: Any, timeout_s: float) -> Any:  # noqa: ANN401
        """Call a service and wait for its answer. Raises RobotFault where none comes in time."""
        self.check()
        if name not in self._clients:
            self._clients[name] = self._node.create_client(service_type, name)
        client = self._clients[name]
        if not client.wait_for_service(timeout_s):
            raise RobotFault(f"service {name} wanted, nobody offers it; is its node running?")
        answered = threading.Event()
        future = client.call_async(request)
        future.add_done_callback(lambda _: answered.set())
        if not answered.wait(timeout_s):
            client.remove_pending_request(future)
            raise RobotFault(f"service {name} did not answer within {timeout_s:.0f} s")
        return future.result()

    def _subscribe(self, topic: Topic, message_type: Any, depth: int, *, reliable: bool) -> Any:  # noqa: ANN401
        from rclpy.qos import QoSProfile, ReliabilityPolicy

        wanted = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
        quality = QoSProfile(depth=depth, reliability=wanted)
        return self._node.create_subscription(message_type, topic.name, topic.take, quality)

    def _spin(self) -> None:
        from rclpy.executors import ExternalShutdownException

        try:
            self._executor.spin()
        except ExternalShutdownException as error:
            self._died = error
        except BaseException as error:  # whoever waits for messages must learn why none come
            self._died = error
            log.exception("the thread that receives messages has ended")
        else:
            self._died = RobotFault("it was shut down")
