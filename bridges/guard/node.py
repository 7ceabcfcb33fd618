"""The guard on ROS 2: one node, one thread, and nobody else on the target topic."""

from __future__ import annotations

import logging
import math
from collections import deque
from dataclasses import replace
from typing import Any

from agent.clock import now_s
from bridges.guard.arm import Arm
from bridges.guard.bounds import bounds_of, tempo_of
from bridges.guard.grippers import grip_of
from bridges.guard.homing import home_of
from bridges.guard.keeper import Keeper, Reply
from bridges.guard.outputs import output_of
from bridges.guard.senses import Senses
from bridges.lock import guard_lock
from bridges.wire import (
    ANSWER_TOPIC,
    DEPTH,
    OPERATOR_TOPIC,
    REQUEST_TOPIC,
    Answer,
    State,
    answer_text,
)
from calibration.profile import Profile

log = logging.getLogger(__name__)

NAME = "guard"
SERVICES = ("arm", "disarm", "hold", "resume", "clear", "take", "release", "home")
_TICK_S = 0.01
_COUNT_S = 0.2
_STATUS_S = 1.0
_KEPT = 1000


class Guard:
    """Lives from `open` to `close`; `serve` does what is due."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._keeper = Keeper(
            bounds_of(profile),
            tempo_of(profile),
            home_of(profile),
            simulated=profile.simulated,
        )
        # From a request's arrival here to its target's publication.
        self._took_s: deque[float] = deque(maxlen=_KEPT)
        self._said = ""
        self._context: Any = None
        self._nodes: list[Any] = []
        self._serves = False

    def open(self, arguments: list[str] | None = None) -> None:
        """Join the graph. Raises RobotFault where this arm has a guard, or messages are missing.

        arguments: ROS's own, as of the command line.
        """
        import rclpy
        from rclpy.executors import SingleThreadedExecutor
        from std_msgs.msg import String

        topics = self._profile.topics
        target = topics.full(topics.target_pose)
        self._context = rclpy.Context()
        rclpy.init(args=arguments, context=self._context)
        # Kept by the process to its end, so that no other guard starts beside a dying one.
        guard_lock(self._context.get_domain_id(), target)
        node = self._made(NAME)
        self._senses = Senses(self._profile, node, self._made(f"{NAME}_senses"), target)
        self._publish, self._targets = output_of(self._profile, node)
        self._grip = grip_of(self._profile, node)
        self._answers = node.create_publisher(String, topics.full(ANSWER_TOPIC), DEPTH)
        node.create_subscription(String, topics.full(REQUEST_TOPIC), self._asked, DEPTH)
        node.create_subscription(String, topics.full(OPERATOR_TOPIC), self._told, DEPTH)
        self._offer(node)
        node.create_timer(_TICK_S, self._tick)
        node.create_timer(_COUNT_S, self._count)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(node)
        self._serves = True
        log.info("guard of %s, targets to %s", self._profile.name, target)

    def serve(self, longest_s: float) -> None:
        """Wait for the next thing to do, for so long at most, and do it."""
        self._executor.spin_once(timeout_sec=longest_s)

    def close(self) -> None:
        """Hold the arm where it is and leave the graph. May be called twice."""
        import rclpy
        from rclpy.duration import Duration

        if self._context is None:
            return
        try:
            if self._serves:
                self._serves = False
                reply = self._keeper.lost("the guard ends", self._senses.arm(), now_s())
                self._carry_out(reply, self._senses.arm())
                self._targets.wait_for_all_acked(Duration(seconds=0.1))
                self._executor.shutdown(timeout_sec=0.1)
        finally:
            for node in self._nodes:
                node.destroy_node()
            rclpy.try_shutdown(context=self._context)
            self._context, self._nodes = None, []

    def _made(self, name: str) -> Any:  # noqa: ANN401  a ROS node
        import rclpy

        node = rclpy.create_node(
            name,
            context=self._context,
            namespace=self._profile.topics.namespace,
            start_parameter_services=False,
        )
        self._nodes.append(node)
        return node

    def _offer(self, node: Any) -> None:  # noqa: ANN401
        from diagnostic_msgs.msg import DiagnosticArray
        from std_srvs.srv import Trigger

        for word in SERVICES:
            node.create_service(Trigger, f"~/{word}", lambda _, out, w=word: self._called(w, out))
        self._statuses = node.create_publisher(DiagnosticArray, "~/status", 1)
        node.create_timer(_STATUS_S, self._tell_status)

    def _asked(self, message: Any) -> None:  # noqa: ANN401
        received_s = now_s()
        arm = self._senses.arm()
        # Judged after looking: a state that came meanwhile is not from the future.
        reply = self._keeper.request(message.data, arm, now_s())
        self._carry_out(reply, arm)
        if reply.target is not None:
            self._took_s.append(now_s() - received_s)

    def _told(self, message: Any) -> None:  # noqa: ANN401
        arm = self._senses.arm()
        self._carry_out(self._keeper.word(str(message.data).strip(), arm, now_s()), arm)

    def _called(self, word: str, response: Any) -> Any:  # noqa: ANN401
        self._count()
        arm = self._senses.arm()
        reply = self._keeper.word(word, arm, now_s())
        self._carry_out(reply, arm)
        response.success = not reply.why
        response.message = reply.why or str(self._keeper.machine.state)
        return response

    def _tick(self) -> None:
        arm = self._senses.arm()
        if arm.agents == 0 and self._keeper.needs_agent:
            self._carry_out(self._keeper.lost("the agent is gone", arm, now_s()), arm)
        self._carry_out(self._keeper.tick(arm, now_s()), arm)

    def _count(self) -> None:
        self._senses.count()

    def _carry_out(self, reply: Reply, arm: Arm) -> None:
        """Publish the target, then say so."""
        from std_msgs.msg import String

        applied_s = math.nan
        if reply.target is not None and arm.measured is not None:
            self._publish(reply.target, arm.measured)
            applied_s = now_s()
            if not reply.hold:
                self._grip(reply.target.gripper)
        for answer in reply.answers:
            self._say(answer)
            if answer.is_published:
                answer = replace(answer, applied_s=applied_s)  # noqa: PLW2901
            self._answers.publish(String(data=answer_text(answer)))

    def _say(self, answer: Answer) -> None:
        """Tell a person why the arm stands, once: every refused request has the same answer."""
        stopped = answer.state in (State.HOLD, State.FAULT) and bool(answer.reason)
        told = f"{answer.state}: {answer.reason}" if stopped else ""
        if told and told != self._said:
            log.warning(told)
        self._said = told

    def _tell_status(self) -> None:
        from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

        machine = self._keeper.machine
        took_ms = sorted(1000.0 * each for each in self._took_s) or [float("nan")]
        told = {
            "state": str(machine.state),
            "by_hand": str(machine.by_hand),
            # One that was killed counts until its lease ends; whoever comes then waits for that.
            "agents": str(self._senses.known_agents),
            "request_to_target_p50_ms": f"{took_ms[len(took_ms) // 2]:.3f}",
            "request_to_target_p99_ms": f"{took_ms[int(len(took_ms) * 0.99)]:.3f}",
            **{name: str(count) for name, count in sorted(self._keeper.counts.items())},
        }
        bad = machine.state in (State.HOLD, State.FAULT)
        status = DiagnosticStatus(
            level=DiagnosticStatus.ERROR if bad else DiagnosticStatus.OK,
            name=NAME,
            message=machine.reason or str(machine.state),
            hardware_id=self._profile.name,
            values=[KeyValue(key=key, value=value) for key, value in told.items()],
        )
        message = DiagnosticArray(status=[status])
        message.header.stamp = self._nodes[0].get_clock().now().to_msg()
        self._statuses.publish(message)
