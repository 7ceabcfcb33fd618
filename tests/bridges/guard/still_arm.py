"""An arm on real DDS that stands where it is, with an agent and a person beside it."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from geometry_msgs.msg import PoseStamped
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray, String
from std_srvs.srv import Trigger

from agent.clock import now_s
from bridges.asking import GuardLine
from bridges.node import Link
from bridges.wire import Kind, Request
from tests.bridges.guard.cell import HOME, JOINTS, PROFILE, floats

ROOT = Path(__file__).parents[3]
NEWEST = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
_EVERY_S = 0.01


class StillArm:
    """Publishes the home pose at 100 Hz while `speaks`."""

    def __init__(self) -> None:
        self.link = Link("still_arm")
        self.speaks = True
        self.targets: list[tuple[float, PoseStamped]] = []
        self.grips: list[float] = []

    def start(self) -> "StillArm":
        self.link.open()
        node = self.link._node
        self._clock = node.get_clock()
        self._joints = node.create_publisher(JointState, "joint_states", NEWEST)
        self._pose = node.create_publisher(PoseStamped, "current_pose", NEWEST)
        self.link.listen("/target_pose", PoseStamped, "reliable", self._aimed)
        self.link.listen(
            "/gripper/gripper_position_controller/commands", Float64MultiArray, "reliable",
            lambda sample: self.grips.append(sample.message.data[0]),
        )  # fmt: skip
        self.link.every(_EVERY_S, self._tell)
        self.agent = GuardLine(PROFILE.topics)
        self.agent.open(self.link)
        self._operator = self.link.publisher("/vlarl/operator", String, 10)
        return self

    def close(self) -> None:
        self.agent.close()
        self.link.close()

    def say(self, word: str) -> None:
        self._operator.publish(String(data=word))

    def call(self, service: str):
        return self.link.call(f"/guard/{service}", Trigger, Trigger.Request(), 5.0)

    def move(self, x_m: float = 0.0):
        """One setpoint beside home, and its answer."""
        sent_s = now_s()
        x, y, z = floats(HOME.position_m)
        number = self.agent.send(Request(
            0, Kind.MOVE, sent_s, sent_s + 1.0, sent_s + 0.6, "", 0, (x + x_m, y, z),
            floats(HOME.quaternion), 1.0,
        ))  # fmt: skip
        return self.agent.answers([number], 5.0)[0]

    def running(self) -> None:
        """Whatever the guard was in, an episode is under way."""
        self.speaks = True
        time.sleep(0.3)
        for word in ("release", "disarm", "clear", "arm"):
            self.call(word)
        answer = self.agent.ask(Kind.BEGIN, 5.0)
        assert answer.state == "RUNNING", answer
        self.targets.clear()

    def _aimed(self, sample) -> None:
        self.targets.append((now_s(), sample.message))

    def _tell(self) -> None:
        if not self.speaks:
            return
        stamp = self._clock.now().to_msg()
        joints = JointState(name=list(PROFILE.joint_names), position=JOINTS.tolist())
        joints.header.stamp = stamp
        pose = PoseStamped()
        pose.header.stamp, pose.header.frame_id = stamp, PROFILE.frames.base
        place, turn = pose.pose.position, pose.pose.orientation
        place.x, place.y, place.z = floats(HOME.position_m)
        turn.x, turn.y, turn.z, turn.w = floats(HOME.quaternion)
        self._joints.publish(joints)
        self._pose.publish(pose)


class GuardProcess:
    """python -m bridges.guard, with what it says."""

    def __init__(self, *told: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bridges.guard", *told],
            cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        self.said += self.process.stderr

    def end(self, number: int) -> tuple[int, float]:
        """Its exit code, and how long it took to end, s."""
        began_s = now_s()
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(10.0)
        took_s = now_s() - began_s
        self._close()
        return code, took_s

    def ended(self) -> tuple[int, str]:
        """Exit code and last line of one that ends by itself."""
        code = self.process.wait(60.0)
        self._close()
        return code, self.said[-1]

    def _close(self) -> None:
        self._reader.join(5.0)
        self.process.stderr.close()
