"""How an opening reaches the gripper: as a position, or as a goal of one of Franka's actions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from agent.clock import now_s
from bridges.guard.senses import message_class
from calibration.profile import Profile

# Takes an opening, 0 closed .. 1 open.
Grip = Callable[[float], None]
# A goal is worth sending for no less than this share of the range.
_CHANGE = 0.02
_EFFORT_N = 40.0
_SPEED_M_S = 0.1


def grip_of(profile: Profile, node: Any) -> Grip:  # noqa: ANN401  a ROS node
    """The way to this cell's gripper.

    Raises RobotFault where it needs messages that this ROS 2 lacks.
    """
    topic = profile.topics.full(profile.topics.gripper_command)
    period_s = 1.0 / profile.rates.gripper_hz
    if profile.kinds.gripper == "position":
        send = _positions(node, topic, inverted=profile.gripper.inverted)
        return Paced(send, period_s, change=0.0, again=True)
    if profile.kinds.gripper == "gripper_command":
        return Paced(_commands(profile, node, topic), period_s, change=_CHANGE, again=False)
    # These two actions know open and closed alone.
    paced = Paced(_grasps(profile, node, topic), period_s, change=0.0, again=False)
    return lambda opening: paced(1.0 if opening >= 0.5 else 0.0)


class Paced:
    """Passes an opening on when it has changed, and every period where `again` says so.

    A goal of an action is sent no oftener than once a period; the last one wanted is never lost,
    because the next setpoint brings it again.
    """

    def __init__(self, send: Grip, period_s: float, *, change: float, again: bool) -> None:
        self._send, self._period_s = send, period_s
        self._change, self._again = change, again
        self._sent, self._sent_s = math.nan, -math.inf

    def __call__(self, opening: float) -> None:
        """Take the opening of a setpoint."""
        at_s = now_s()
        due = at_s - self._sent_s >= self._period_s
        same = abs(opening - self._sent) <= self._change  # False for the first, which is NaN
        if (same and not (self._again and due)) or not (due or self._again):
            return
        self._sent, self._sent_s = opening, at_s
        self._send(opening)


def half_width_m(opening: float, width_m: float) -> float:
    """A GripperCommand's position: the way of one finger, half of the width between both."""
    return opening * width_m / 2.0


def _positions(node: Any, topic: str, *, inverted: bool) -> Grip:  # noqa: ANN401
    from std_msgs.msg import Float64MultiArray

    publisher = node.create_publisher(Float64MultiArray, topic, 1)

    def send(opening: float) -> None:
        publisher.publish(Float64MultiArray(data=[1.0 - opening if inverted else opening]))

    return send


def _commands(profile: Profile, node: Any, topic: str) -> Grip:  # noqa: ANN401
    from rclpy.action.client import ActionClient

    kind = message_class("control_msgs.action", "GripperCommand", "control-msgs")
    client: Any = ActionClient(node, kind, topic)

    def send(opening: float) -> None:
        goal = kind.Goal()
        goal.command.position = half_width_m(opening, profile.gripper.width_m)
        goal.command.max_effort = _EFFORT_N
        client.send_goal_async(goal)

    return send


def _grasps(profile: Profile, node: Any, topic: str) -> Grip:  # noqa: ANN401
    """Franka's Grasp to close, Move to open; `topic` is the namespace of both."""
    from rclpy.action.client import ActionClient

    grasp = message_class("franka_msgs.action", "Grasp", "franka-msgs")
    move = message_class("franka_msgs.action", "Move", "franka-msgs")
    width_m = profile.gripper.width_m
    grasps: Any = ActionClient(node, grasp, f"{topic}/grasp")
    moves: Any = ActionClient(node, move, f"{topic}/move")

    def send(opening: float) -> None:
        if opening:
            moves.send_goal_async(move.Goal(width=width_m, speed=_SPEED_M_S))
            return
        goal = grasp.Goal(width=0.0, speed=_SPEED_M_S, force=_EFFORT_N)
        # Whatever lies between the fingers is held, however wide it is.
        goal.epsilon.inner = goal.epsilon.outer = width_m
        grasps.send_goal_async(goal)

    return send
