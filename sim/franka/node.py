"""The node simulated_franka: the topics, parameters and services of one simulated arm."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState
from std_msgs.msg import Float64MultiArray, String
from std_srvs.srv import Trigger

from agent import clock
from agent.episode import Uint8Array
from agent.errors import VlarlError
from sim.franka import messages
from sim.franka.body import TICK_S, Body
from sim.franka.cell import Cell
from sim.franka.faults import Faults, read
from sim.franka.loop import Loop, Moment
from sim.franka.pose import Felt, Pose

log = logging.getLogger(__name__)

NAME = "simulated_franka"
_NEWEST = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
_SURE = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
_DIAGNOSED_EVERY_S = 0.2


class SimulatedFranka:
    """One arm on ROS 2. Publishing happens in the arm's and the eyes' threads."""

    def __init__(self, cell: Cell, body: Body) -> None:
        self.node = Node(NAME, namespace=cell.namespace)
        self._cell = cell
        self._fields_rad = body.cameras()
        self._every = max(1, round(1.0 / (cell.state_hz * TICK_S)))
        self._ticks = 0
        self._late: deque[tuple[float, Sequence[tuple[Any, Any]]]] = deque()
        self._diagnosed_s = -1.0
        self._mode = ""
        self._fault_text = ""
        self._second: Any = None
        self._complained: set[str] = set()
        self._publish_on(cell.topics)
        self.loop = Loop(body, self._tell, self._tell_success)
        self._listen(cell.topics)
        for name, value in (("task", cell.task), ("start", cell.start), ("seed", cell.seed)):
            self.node.declare_parameter(name, value)
        self.node.declare_parameter("fault", "")
        self.node.add_on_set_parameters_callback(self._told)

    def start(self, ended: Callable[[], None]) -> None:
        """Let the arm live. ended: called where it died by itself."""
        self.loop.start(ended)
        if self._cell.fault:
            self._be_faulty(self._cell.fault)

    def close(self) -> None:
        """Stop the arm and leave the graph. The executor is to be shut down before."""
        self.loop.close()
        self.node.destroy_node()

    def show(self, camera: str, wall_s: float, picture: Uint8Array) -> None:
        """Publish a picture. Called by the eyes."""
        stamp = messages.time_of(wall_s + self.loop.faults.strength("stamps"))
        frame = f"{camera}_color_optical_frame"
        pictures, infos = self._cameras[camera]
        make = messages.jpeg if self._cell.cameras[camera].compressed else messages.image
        pictures.publish(make(stamp, frame, picture))
        side, field = picture.shape[0], self._fields_rad[camera]
        infos.publish(messages.camera_info(stamp, frame, side, field))

    def _publish_on(self, topics: Mapping[str, str]) -> None:
        make = self.node.create_publisher
        self._joints = make(JointState, topics["joint_states"], _NEWEST)
        self._pose = make(PoseStamped, topics["current_pose"], _NEWEST)
        self._gripper = make(JointState, topics["gripper_state"], _NEWEST)
        self._diagnostics = make(DiagnosticArray, topics["diagnostics"], 10)
        self._operator = make(String, topics["operator"], 10)
        self._cameras = {
            name: (
                make(CompressedImage if camera.compressed else Image, camera.topic, _SURE),
                make(CameraInfo, camera.info_topic, _SURE),
            )
            for name, camera in self._cell.cameras.items()
        }

    def _listen(self, topics: Mapping[str, str]) -> None:
        node = self.node
        node.create_subscription(PoseStamped, topics["target_pose"], self._aimed, _SURE)
        node.create_subscription(Float64MultiArray, topics["gripper_command"], self._gripped, _SURE)
        for name, answer in (
            ("reset", self._reset), ("home", self._go_home), ("trace", self._trace),
            ("world", self._world),
        ):  # fmt: skip
            node.create_service(Trigger, f"~/{name}", answer)

    def _aimed(self, message: PoseStamped) -> None:
        if self.node.count_publishers(self._cell.topics["target_pose"]) > 1:
            self._complain("targets are ignored: more than one publisher on target_pose")
            return
        target = messages.target_of(message, self._cell.base)
        if isinstance(target, Pose):
            self.loop.follow(target)
        else:
            self._complain(target)

    def _gripped(self, message: Float64MultiArray) -> None:
        if len(message.data) != 1 or not np.isfinite(message.data[0]):
            self._complain(f"one opening wanted for the gripper, found {list(message.data)}")
            return
        opening = min(max(message.data[0], 0.0), 1.0)
        self.loop.grip(1.0 - opening if self._cell.gripper_inverted else opening)

    def _complain(self, text: str) -> None:
        """Say it once; a controller that speaks 50 times a second is not heard."""
        if text not in self._complained and len(self._complained) < 100:
            self._complained.add(text)
            log.warning(text)

    def _reset(self, _request: Any, response: Any) -> Any:  # noqa: ANN401
        parameters = [self.node.get_parameter(name).value for name in ("task", "start", "seed")]
        try:
            self.loop.reset(*parameters)
            task, start, seed = parameters
            response.success, response.message = True, f"{task!r}, start {start}, seed {seed}"
        except VlarlError as error:
            response.success, response.message = False, str(error)
        return response

    def _go_home(self, _request: Any, response: Any) -> Any:  # noqa: ANN401
        self.loop.go_home()
        response.success, response.message = True, "on its way"
        return response

    def _trace(self, _request: Any, response: Any) -> Any:  # noqa: ANN401
        response.success, response.message = True, self.loop.track.text()
        return response

    def _world(self, _request: Any, response: Any) -> Any:  # noqa: ANN401
        """What only a simulator knows: where everything is, as JSON."""
        parts = self.loop.moment.sight.parts
        response.success = True
        response.message = json.dumps({name: value.tolist() for name, value in parts.items()})
        return response

    def _told(self, parameters: Sequence[Parameter[Any]]) -> SetParametersResult:
        """Answer a new parameter; `fault` is the one that takes effect at once."""
        try:
            for parameter in parameters:
                if parameter.name == "fault":
                    self._be_faulty(parameter.value)
        except VlarlError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _be_faulty(self, text: str) -> None:
        faults = read(text, self._cell.cameras)
        if faults.has("kill"):
            # A moment later, so that whoever asked for it gets an answer.
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGKILL)).start()
        if faults.has("second_publisher") and self._second is None:
            self._second = self.node.create_publisher(
                PoseStamped, self._cell.topics["target_pose"], _SURE
            )
        elif not faults.has("second_publisher") and self._second is not None:
            self.node.destroy_publisher(self._second)
            self._second = None
        self.loop.put(faults, text)
        self._fault_text = text

    def _tell(self, moment: Moment) -> None:
        """Publish what the arm feels. Called by the loop at every tick."""
        self._ticks += 1
        now_s, faults = clock.now_s(), self.loop.faults
        delay_s = faults.strength("state_delayed")
        if not delay_s:
            self._late.clear()  # what was still under way when the delay ended is lost
        if self._ticks % self._every == 0:
            due_s = now_s + delay_s
            self._late.append((due_s, self._state(moment, faults)))
        while self._late and self._late[0][0] <= now_s:
            for publisher, message in self._late.popleft()[1]:
                publisher.publish(message)
        mode = faults.mode or "move"
        if mode != self._mode or now_s - self._diagnosed_s >= _DIAGNOSED_EVERY_S:
            self._mode, self._diagnosed_s = mode, now_s
            self._diagnose(mode)

    def _state(self, moment: Moment, faults: Faults) -> Sequence[tuple[Any, Any]]:
        """Publishers and what each is to say now."""
        cell, felt = self._cell, moment.felt
        stamp = messages.time_of(moment.wall_s + faults.strength("stamps"))
        if faults.has("state_nan"):
            bad = Pose(np.full(3, np.nan), np.full((3, 3), np.nan))
            felt = Felt(np.full(7, np.nan), np.full(7, np.nan), bad, felt.opening)
        told: list[tuple[Any, Any]] = []
        if not (faults.has("state_dropped") or faults.has("joints_dropped")):
            told.append((
                self._joints,
                messages.joint_state(stamp, cell.joint_names, felt.joints, felt.speeds),
            ))  # fmt: skip
        if not (faults.has("state_dropped") or faults.has("pose_dropped")):
            frame = "elsewhere" if faults.has("wrong_frame") else cell.base
            told.append((self._pose, messages.pose_stamped(stamp, frame, felt.pose)))
        if not faults.has("state_dropped"):
            names = [f"{cell.model.name}_finger_joint{n}" for n in (1, 2)]
            each = np.full(2, felt.opening * cell.gripper_width_m / 2)
            told.append((self._gripper, messages.joint_state(stamp, names, each, np.zeros(2))))
        return told

    def _diagnose(self, mode: str) -> None:
        told = {
            "robot_mode": mode,
            "backend": self._cell.backend,
            "fault": self._fault_text,
            "success": str(self.loop.met).lower(),
        }
        well = mode in {"move", "idle", "guiding"}
        stamp = messages.time_of(time.time())
        self._diagnostics.publish(messages.diagnostics(stamp, NAME, told, well=well))

    def _tell_success(self) -> None:
        self._operator.publish(String(data="success"))
