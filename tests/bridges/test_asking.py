"""Requests to a guard, and answers that come late, out of order, garbled or never."""

import threading
import time
from dataclasses import replace

import pytest

pytest.importorskip("rclpy", reason="pip install vlarl-agent[ros]")

from std_msgs.msg import String

from agent.clock import now_s
from agent.errors import Interrupted, RobotFault, SafetyStop
from bridges.asking import GuardLine
from bridges.node import Link
from bridges.readying import make_ready, stopped
from bridges.wire import Answer, Kind, Request, State, answer_text, read_request
from calibration.profile import Topics

pytestmark = pytest.mark.ros


class Clerk:
    """A node at the guard's end of the wire that answers as a test tells it to."""

    def __init__(self):
        self.heard, self.link = [], Link("clerk")
        self.link.open()
        self.answers = self.link.publisher("/vlarl/answer", String, 10)
        self.link.listen("/vlarl/request", String, "reliable", self._hear, 10)
        self.at_once = None

    def _hear(self, sample):
        request = read_request(sample.message.data)
        self.heard.append(request)
        if self.at_once is not None:
            self.answer(self.at_once(request))

    def answer(self, *answers):
        for each in answers:
            self.answers.publish(String(data=answer_text(each)))


@pytest.fixture
def clerk():
    clerk = Clerk()
    yield clerk
    clerk.link.close()


@pytest.fixture
def line(clerk):
    link, line = Link("vlarl_test"), GuardLine(Topics())
    link.open()
    line.open(link)
    line.find(threading.Event().wait)
    yield line
    line.close()
    link.close()


def told(number, state=State.RUNNING, reason=""):
    return Answer(number, state, reason, now_s())


def wish(kind=Kind.MOVE):
    at_s = now_s()
    return Request(0, kind, at_s, at_s + 1, at_s + 1)


def test_answers_are_told_apart_by_their_numbers_whatever_their_order(line, clerk, until):
    numbers = [line.send(wish()) for _ in range(3)]
    assert numbers == sorted(set(numbers))
    assert until(lambda: len(clerk.heard) == 3)
    clerk.answer(*(told(number, reason=f"of {number}") for number in reversed(numbers)))
    found = line.answers(numbers, 2.0)
    assert [each.reason for each in found] == [f"of {number}" for number in numbers]


def test_the_way_home_is_beaten_to_and_given_up_at_once(line, clerk, until):
    pauses = []

    def pause(seconds):
        pauses.append(seconds)
        if len(pauses) == 3:
            raise Interrupted("nobody wants it")

    with pytest.raises(Interrupted):
        line.go_home(35.0, pause)
    assert until(lambda: len(clerk.heard) == 4)
    assert [each.kind for each in clerk.heard] == [Kind.HOME, Kind.BEAT, Kind.BEAT, Kind.BEAT]
    assert not line._awaited
    clerk.at_once = lambda request: told(request.sequence, State.ARMED)
    assert line.go_home(5.0, time.sleep).state is State.ARMED
    clerk.at_once = None
    with pytest.raises(RobotFault, match="found 0"):
        line.go_home(0.1, time.sleep)


def test_an_answer_that_is_late_is_no_answer_to_a_later_question(line, clerk, until):
    first = line.send(wish())
    with pytest.raises(RobotFault, match="found 0"):
        line.answers([first], 0.05)
    second = line.send(wish())
    clerk.answer(told(first, reason="late"), told(second, reason="in time"))
    assert line.answers([second], 2.0)[0].reason == "in time"
    assert until(lambda: not line._awaited)


def test_garbled_and_foreign_answers_are_passed_over(line, clerk):
    number = line.send(wish())
    clerk.answers.publish(String(data="no json"))
    clerk.answers.publish(String(data='{"sequence": 1}'))
    clerk.answer(told(number + 1000), told(-1, State.HOLD, "by itself"), told(number))
    assert line.answers([number], 2.0)[0].sequence == number


def test_what_the_guard_says_by_itself_is_heard(line, clerk, until):
    clerk.answer(told(-1, State.FAULT, "the arm stopped by reflex"))
    assert until(lambda: line.heard and line.heard.state is State.FAULT)


def test_a_request_names_who_acts(line, clerk, until):
    line.adapter, line.episode = "0007", 12
    line.send(wish())
    assert until(lambda: clerk.heard)
    assert (clerk.heard[0].adapter, clerk.heard[0].episode) == ("0007", 12)


def test_beats_from_another_thread_keep_the_numbers_rising(line, clerk, until):
    beats = threading.Thread(target=lambda: [line.beat() for _ in range(200)])
    beats.start()
    for _ in range(200):
        line.send(wish())
    beats.join()
    # reliable, but ten messages deep: some are lost in such a burst, none may overtake another
    assert until(lambda: clerk.heard and clerk.heard[-1].sequence >= 399)
    numbers = [each.sequence for each in clerk.heard]
    assert numbers == sorted(numbers)


def test_a_closed_line_sends_nothing(line):
    line.close()
    line.close()
    line.beat()
    with pytest.raises(RobotFault, match="closed"):
        line.send(wish())


def machine(states):
    """A guard that goes from one state to another as `states` says, and keeps a reason."""
    now = {"state": State.FAULT, "reason": "the agent stayed away"}

    def answer(request):
        leads = states.get((now["state"], request.kind))
        if leads is not None:
            now["state"], now["reason"] = leads, ""
        return replace(told(request.sequence), state=now["state"], reason=now["reason"])

    return now, answer


WAY = {
    (State.FAULT, Kind.CLEAR): State.DISARMED,
    (State.DISARMED, Kind.ARM): State.ARMED,
    (State.HOLD, Kind.RESUME): State.ARMED,
}


def test_in_front_of_a_simulated_arm_the_program_clears_and_arms(line, clerk):
    _, clerk.at_once = machine(WAY)
    make_ready(line, simulated=True, pause=lambda _: None)
    kinds = [each.kind for each in clerk.heard]
    assert kinds[0] is Kind.REST
    assert [kind for kind in kinds if kind is not Kind.BEAT] == [Kind.REST, Kind.CLEAR, Kind.ARM]


def test_in_front_of_a_real_arm_the_program_never_asks_to_be_armed(line, clerk, caplog):
    now, clerk.at_once = machine(WAY)
    waits = []

    def pause(seconds):
        waits.append(seconds)
        threading.Event().wait(0.01)
        if len(waits) == 5:
            now.update(state=State.DISARMED, reason="clear by a person")
        if len(waits) == 10:
            now.update(state=State.ARMED, reason="")

    make_ready(line, simulated=False, pause=pause)
    assert {each.kind for each in clerk.heard} == {Kind.REST, Kind.BEAT}
    # each state is told a person once, with the key that leads on
    assert [record.message.count("press ") for record in caplog.records] == [1, 1]
    assert "press c" in caplog.text
    assert "press a" in caplog.text


def test_what_a_person_holds_the_program_does_not_lift(line, clerk):
    now, clerk.at_once = machine(WAY)
    now.update(state=State.HOLD, reason="hold by a person")

    class EnoughError(Exception):
        pass

    def pause(_):
        if len(clerk.heard) > 5:
            raise EnoughError

    with pytest.raises(EnoughError):
        make_ready(line, simulated=True, pause=pause)
    assert Kind.RESUME not in {each.kind for each in clerk.heard}


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("no request in time", RobotFault),
        ("no beat in time", RobotFault),
        ("the joint state is 0.412 s old, limit 0.2 s", RobotFault),
        ("the arm's state stayed away", RobotFault),
        ("9 of the last 10 requests were held to a limit", SafetyStop),
        ("the arm stopped by reflex", SafetyStop),
        ("hold by a person", RobotFault),
    ],
)
def test_a_lost_link_or_a_persons_stop_is_a_fault_and_a_limit_a_safety_stop(reason, kind):
    assert type(stopped(told(1, State.HOLD, reason))) is kind
