"""What the arm feels: joints, pose and opening, and their layout as proprioception."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from agent.clock import now_s
from agent.episode import Float32Array
from agent.errors import RobotFault
from bridges.messages import joints_of, opening_of, pose_of
from bridges.node import Link
from bridges.pose import Float64Array, Pose, inverse, product, turn_of
from bridges.topic import Sample, Topic
from calibration.profile import Profile

# The tool's turn is told as the turn from this one: half a turn about x, pointing straight down.
DOWN = np.array([1.0, 0.0, 0.0, 0.0])
GRIPPER_S = 1.0  # a gripper reports at 10 Hz or so, and moves slowly


@dataclass(frozen=True, slots=True)
class Felt:
    """The arm at one moment. joints_rad: (7,). opening: 0 closed .. 1 open."""

    joints_rad: Float64Array
    pose: Pose
    opening: float


class Senses:
    """Listens to the arm's own state."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._joints = self._pose = self._gripper = Topic("nothing yet")
        self._need_opening = "opening" in profile.proprio.names

    def open(self, link: Link) -> None:
        """Subscribe to joints, pose and gripper."""
        from geometry_msgs.msg import PoseStamped
        from sensor_msgs.msg import JointState

        topics = self._profile.topics
        self._joints = link.listen(topics.full(topics.joint_states), JointState)
        self._pose = link.listen(topics.full(topics.current_pose), PoseStamped)
        self._gripper = link.listen(topics.full(topics.gripper_state), JointState)

    def forget(self) -> None:
        """Drop what was felt so far."""
        for topic in (self._joints, self._pose, self._gripper):
            topic.forget()

    def ages(self, at_s: float) -> Mapping[str, float]:
        """Age (s) of each part; infinite for none."""
        parts = {"joints": self._joints, "pose": self._pose, "gripper": self._gripper}
        return {
            name: topic.newest.age_s(at_s) if topic.newest else float("inf")
            for name, topic in parts.items()
        }

    def now(self) -> Felt:
        """The arm as last reported. Raises RobotFault where a part of that is stale or wrong."""
        fresh = self._profile.freshness
        joints = self._joints.fresh(fresh.joints_s, "joint state")
        pose = self._pose.fresh(fresh.pose_s, "tool pose")
        gripper = self._gripper.fresh(GRIPPER_S, "gripper state") if self._need_opening else None
        return self._felt(joints, pose, gripper)

    def near(self, moment_s: float) -> Felt:
        """The arm as it was at a moment within the last two seconds; fresh now, or RobotFault."""
        now = self.now()
        joints, pose = self._joints.near(moment_s), self._pose.near(moment_s)
        gripper = self._gripper.near(moment_s) if self._need_opening else None
        return now if joints is None or pose is None else self._felt(joints, pose, gripper)

    def wait(self, timeout_s: float, pause: Callable[[float], None]) -> Felt:
        """The arm as soon as it reports, or RobotFault; `pause` is what waits."""
        ends_s = now_s() + timeout_s
        while True:
            try:
                return self.now()
            except RobotFault:
                if now_s() > ends_s:
                    raise
            pause(0.02)

    def proprio(self, felt: Felt, opening_commanded: float) -> Float32Array:
        """The profile's proprioception (p,)."""
        place = felt.pose.position_m - np.array(self._profile.proprio.origin_m)
        turn = turn_of(product(felt.pose.quaternion, inverse(DOWN)))
        known = {
            **{f"tool_{axis}_m": place[n] for n, axis in enumerate("xyz")},
            **{f"tool_r{axis}_rad": turn[n] for n, axis in enumerate("xyz")},
            **{f"joint_{n}_rad": angle for n, angle in enumerate(felt.joints_rad, start=1)},
            "opening": felt.opening,
            "opening_commanded": opening_commanded,
        }
        return np.array([known[name] for name in self._profile.proprio.names], np.float32)

    def _felt(self, joints: Sample, pose: Sample, gripper: Sample | None) -> Felt:
        profile = self._profile
        opening = 0.0
        if gripper is not None:
            found = profile.gripper
            opening = opening_of(gripper.message, found.width_m, inverted=found.inverted)
        return Felt(
            joints_of(joints.message, profile.joint_names),
            pose_of(pose.message, profile.frames.base),
            opening,
        )
