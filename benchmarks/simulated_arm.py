"""A simulated Franka in a process of its own, and a node that speaks with it as anybody may."""

from __future__ import annotations

import contextlib
import copy
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from numpy.typing import NDArray
from rcl_interfaces.srv import SetParameters
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image, JointState
from std_msgs.msg import Float64MultiArray, String
from std_srvs.srv import Trigger

ROOT = Path(__file__).parents[1]
_number = itertools.count()
_NEWEST = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
_SURE = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
HEARD = {
    "joint_states": (JointState, _NEWEST),
    "current_pose": (PoseStamped, _NEWEST),
    "gripper/joint_states": (JointState, _NEWEST),
    "agentview/color/image_raw": (Image, _NEWEST),
    "eye_in_hand/color/image_raw": (Image, _NEWEST),
    "agentview/color/camera_info": (CameraInfo, _NEWEST),
    "diagnostics": (DiagnosticArray, QoSProfile(depth=10)),
    "vlarl/operator": (String, QoSProfile(depth=10)),
}


class SimulatedArm:
    """python -m sim.franka with these arguments, in a ROS domain of this process's own.

    heard: by topic, the last messages with the monotonic time they came at.
    listen: topics of HEARD to hear at all; every one costs processor time.
    """

    def __init__(self, *arguments: str, listen: tuple[str, ...] = tuple(HEARD)) -> None:
        self.heard: dict[str, deque[tuple[float, Any]]] = defaultdict(lambda: deque(maxlen=2000))
        self._arguments, self._listen = arguments, listen
        # 0 to 101; two arms of one process do not hear each other either
        self.domain = (os.getpid() + 37 * next(_number)) % 102

    def __enter__(self) -> Self:
        environment = os.environ | {
            "ROS_DOMAIN_ID": str(self.domain), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        }  # fmt: skip
        self.process = subprocess.Popen(  # noqa: S603  our own arguments
            [sys.executable, "-m", "sim.franka", *self._arguments],
            cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
        self._context = rclpy.Context()
        self._context.init(domain_id=self.domain)
        self.node = rclpy.create_node("watcher", context=self._context)
        for name in self._listen:
            kind, quality = HEARD[name]
            self.node.create_subscription(kind, name, self._keep(name), quality)
        self._parameters = self.node.create_client(
            SetParameters, "/simulated_franka/set_parameters"
        )
        self._services: dict[str, Any] = {}
        self._publishers: dict[str, Any] = {}
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()
        self._await(self._parameters)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.communicate(timeout=5.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
        self._executor.shutdown()
        self._thread.join(2.0)
        self.node.destroy_node()
        self._context.try_shutdown()

    def put(self, **parameters: str | int) -> str:
        """Set parameters; "" or why one was refused."""
        request = SetParameters.Request(
            parameters=[
                Parameter(name, value=value).to_parameter_msg()
                for name, value in parameters.items()
            ]
        )
        results = self._answer(self._parameters, request).results
        return "; ".join(result.reason for result in results if not result.successful)

    def call(self, service: str) -> Trigger.Response:
        """Call one of the node's triggers: reset, home, trace."""
        client = self._services.get(service)
        if client is None:
            client = self.node.create_client(Trigger, f"/simulated_franka/{service}")
            self._services[service] = client
        return self._answer(client, Trigger.Request())

    def reset(self, task: str, start: int, seed: int = 0) -> Trigger.Response:
        """Put the world at a start state; what was heard before is forgotten."""
        self.put(task=task, start=start, seed=seed)
        response = self.call("reset")
        for messages in self.heard.values():
            messages.clear()
        return response

    def trace(self) -> dict[str, Any]:
        """The true path of the last seconds."""
        told: dict[str, Any] = json.loads(self.call("trace").message)
        return told

    def aim(self, message: PoseStamped) -> None:
        """Publish a target."""
        self._publisher("target_pose", PoseStamped).publish(message)

    def grip(self, opening: float) -> None:
        """Publish an opening for the hand."""
        topic = "gripper/gripper_position_controller/commands"
        self._publisher(topic, Float64MultiArray).publish(Float64MultiArray(data=[opening]))

    def newest(self, topic: str) -> Any:  # noqa: ANN401  any message
        """The newest message of a topic; waits for the first."""
        self.until(lambda: self.heard[topic], topic)
        return self.heard[topic][-1][1]

    def since(self, topic: str, seconds: float) -> list[Any]:
        """Messages of a topic that come within the next seconds."""
        self.heard[topic].clear()
        time.sleep(seconds)
        return [message for _, message in list(self.heard[topic])]

    def reaches(self, target: PoseStamped, within_s: float = 1.0) -> bool:
        """Whether the tool comes to a target, to a millimetre."""
        ends_s = time.monotonic() + within_s
        while time.monotonic() < ends_s:
            if np.abs(place_of(self.newest("current_pose")) - place_of(target)).max() < 1e-3:
                return True
            time.sleep(0.01)
        return False

    def until(self, true: Callable[[], object], what: str, timeout_s: float = 10.0) -> None:
        """Wait for something. Raises TimeoutError that names it."""
        ends_s = time.monotonic() + timeout_s
        while not true():
            if time.monotonic() > ends_s or self.process.poll() is not None:
                raise TimeoutError(f"{what} wanted of the simulated arm, found nothing")
            time.sleep(0.005)

    def _publisher(self, topic: str, kind: Any) -> Any:  # noqa: ANN401
        """Made when first used: whoever only watches is no second publisher beside a guard."""
        if topic not in self._publishers:
            publisher = self.node.create_publisher(kind, topic, _SURE)
            self.until(lambda: publisher.get_subscription_count() > 0, f"a listener to {topic}")
            # The other side counts publishers too, and learns of this one a little later.
            time.sleep(0.1)
            self._publishers[topic] = publisher
        return self._publishers[topic]

    def _keep(self, name: str) -> Callable[[Any], None]:
        return lambda message: self.heard[name].append((time.monotonic(), message))

    def _await(self, client: Any) -> None:  # noqa: ANN401
        self.until(client.service_is_ready, client.srv_name, 20.0)

    def _answer(self, client: Any, request: Any) -> Any:  # noqa: ANN401
        self._await(client)
        future = client.call_async(request)
        self.until(future.done, client.srv_name)
        return future.result()

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()


def place_of(message: PoseStamped) -> NDArray[np.float64]:
    """Where a pose is, (3,) m."""
    place = message.pose.position
    return np.array([place.x, place.y, place.z])


def ahead(message: PoseStamped, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> PoseStamped:
    """A target so far (m) from a pose."""
    target = copy.deepcopy(message)
    target.pose.position.x += x
    target.pose.position.y += y
    target.pose.position.z += z
    return target


def stamp_s(message: Any) -> float:  # noqa: ANN401  any message with a header
    """Seconds since the epoch that a message is stamped with."""
    return float(message.header.stamp.sec + message.header.stamp.nanosec * 1e-9)
