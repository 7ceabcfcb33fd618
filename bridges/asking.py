"""Requests to the guard, and the answers that belong to them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from agent.clock import now_s
from agent.errors import DataError, RobotFault
from bridges.messages import value_in
from bridges.node import Link
from bridges.topic import Sample
from bridges.wire import (
    ANSWER_TOPIC,
    DEPTH,
    REQUEST_TOPIC,
    Answer,
    Kind,
    Request,
    State,
    read_answer,
    request_text,
)
from calibration.profile import Topics

log = logging.getLogger(__name__)

STATUS_TOPIC = "guard/status"
_LOOK_S = 0.05
_ASK_S = 2.0
_FIND_S = 5.0  # discovery takes a second or two on a busy machine
_LEASE_S = 25.0


class GuardLine:
    """The agent's end of the wire. Answers are told apart by their sequence numbers alone."""

    def __init__(self, topics: Topics) -> None:
        self._request, self._answer = topics.full(REQUEST_TOPIC), topics.full(ANSWER_TOPIC)
        self._status = topics.full(STATUS_TOPIC)
        self._changed = threading.Condition()
        self._sequence = 0
        self._awaited: dict[int, Answer | None] = {}
        self._publisher: Any = None
        self._link: Link | None = None
        self._heard: Answer | None = None
        self._silent = False
        self.adapter, self.episode = "", 0

    @property
    def heard(self) -> Answer | None:
        """What the guard said last, asked or not."""
        with self._changed:
            return self._heard

    def wait_alone(self, link: Link, pause: Callable[[float], None]) -> None:
        """Wait until no other agent sends requests; to be asked before `open`.

        Two of them are to the guard a reason to stop. One that was killed is known to the guard for
        some twenty seconds more, though not to a node that came later: so the guard is believed.
        Raises RobotFault for one that stays.
        """
        from diagnostic_msgs.msg import DiagnosticArray

        status = link.listen(self._status, DiagnosticArray)
        began_s, warned = now_s(), False
        while True:
            told, waited_s = status.newest, now_s() - began_s
            others = value_in(told.message, "agents") if told is not None else ""
            if not others and waited_s > _FIND_S:
                return  # no guard, which is `find`'s to say
            if others == "0" and not link.publishers(self._request):
                return
            if others and waited_s > _LEASE_S:
                raise RobotFault(
                    f"no other agent on {self._request} wanted, the guard knows {others}; end it, "
                    "or give this arm's own namespace"
                )
            if others not in {"", "0"} and waited_s > _FIND_S and not warned:
                log.warning("another agent is on this arm; waiting until it is gone")
                warned = True
            pause(_LOOK_S)

    def open(self, link: Link) -> None:
        """Listen to the guard and make ready to ask it."""
        from std_msgs.msg import String

        self._link = link
        link.listen(self._answer, String, "reliable", self._take, DEPTH)
        self._publisher = link.publisher(self._request, String, DEPTH)

    def close(self) -> None:
        """Ask no more. May be called twice."""
        self._publisher = self._link = None

    @property
    def is_there(self) -> bool:
        """Whether a guard listens that has not failed to answer since it was found."""
        return not self._silent and self._guards() > 0

    def find(self, pause: Callable[[float], None]) -> None:
        """Wait until there is one guard; `pause` waits. Raises RobotFault for none or several.

        One that was killed is known to the graph for some twenty seconds more.
        """
        began_s = now_s()
        while (found := self._guards()) != 1:
            if now_s() - began_s > (_LEASE_S if found else _FIND_S):
                what_to_do = (
                    "end all but one"
                    if found
                    else "start one with: python -m bridges.guard --profile PROFILE"
                )
                raise RobotFault(
                    f"one guard wanted on {self._request}, found {found}; {what_to_do}"
                )
            pause(_LOOK_S)
        self._silent = False

    def send(self, request: Request) -> int:
        """Send a request without waiting for its answer; `answers` asks for it by the number.

        sequence, adapter and episode are filled in here.
        """
        from std_msgs.msg import String

        if self._publisher is None:
            raise RobotFault("a line to the guard wanted, it is closed; reset the robot first")
        with self._changed:
            self._sequence += 1
            number = self._sequence
            self._awaited[number] = None
            whole = replace(request, sequence=number, adapter=self.adapter, episode=self.episode)
            # Within the lock: beats come from another thread, and the guard wants rising numbers.
            self._publisher.publish(String(data=request_text(whole)))
        return number

    def answers(self, numbers: Sequence[int], timeout_s: float) -> tuple[Answer, ...]:
        """Wait for the answers to these requests, in their order.

        Raises RobotFault where one is missing after timeout_s; it is dropped if it comes later.
        """
        ends_s = now_s() + timeout_s
        with self._changed:
            while any(self._awaited.get(number) is None for number in numbers):
                left_s = ends_s - now_s()
                if left_s <= 0 or not self._changed.wait(left_s):
                    break
            found = [self._awaited.pop(number, None) for number in numbers]
        answers = tuple(each for each in found if each is not None)
        if len(answers) < len(numbers):
            self._silent = True
            raise RobotFault(
                f"{len(numbers)} answers of the guard wanted within {timeout_s:.2f} s, found "
                f"{len(answers)}; if it has died, start it again: "
                "python -m bridges.guard --profile PROFILE"
            )
        return answers

    def ask(self, kind: Kind, timeout_s: float = _ASK_S) -> Answer:
        """Send a request that is no setpoint, and wait for its answer."""
        sent_s = now_s()
        number = self.send(Request(0, kind, sent_s, sent_s + timeout_s, sent_s + timeout_s))
        return self.answers([number], timeout_s)[0]

    def go_home(self, timeout_s: float, pause: Callable[[float], None]) -> Answer:
        """Have the guard bring the arm home; it does so for as long as it is beaten to.

        pause: waits, and gives up by raising. Raises RobotFault where no answer comes in time.
        """
        sent_s = now_s()
        ends_s = sent_s + timeout_s
        number = self.send(Request(0, Kind.HOME, sent_s, ends_s, ends_s))
        try:
            while self._awaited[number] is None and now_s() < ends_s:
                self.beat()
                pause(_LOOK_S)
            return self.answers([number], 0.0)[0]
        finally:
            with self._changed:
                self._awaited.pop(number, None)

    def beat(self) -> None:
        """Say that this agent is alive; the answer is not waited for."""
        if self._publisher is None:
            return
        sent_s = now_s()
        number = self.send(Request(0, Kind.BEAT, sent_s, sent_s + _ASK_S, sent_s + _ASK_S))
        with self._changed:
            self._awaited.pop(number, None)

    def state(self) -> Answer:
        """The guard's state as it is now."""
        return self.ask(Kind.BEAT)

    def _guards(self) -> int:
        if self._link is None or self._publisher is None:
            return 0
        self._link.check()
        # Who records the requests hears them too, so those who answer are counted.
        heard = self._publisher.get_subscription_count() > 0
        return self._link.publishers(self._answer) if heard else 0

    def _take(self, sample: Sample) -> None:
        try:
            answer = read_answer(sample.message.data)
        except DataError as error:
            log.warning("an answer of the guard cannot be read: %s", error)
            return
        with self._changed:
            self._heard = answer
            if answer.sequence in self._awaited:
                self._awaited[answer.sequence] = answer
                self._changed.notify_all()
            elif answer.state is State.FAULT:
                log.debug("the guard is in FAULT: %s", answer.reason)
