"""A person's words, from keys and from a topic."""

import os
import pty
import termios
import threading

import pytest

pytest.importorskip("rclpy", reason="pip install vlarl-agent[ros]")

from std_msgs.msg import String

from bridges.node import Link
from bridges.person import Console, Operator

pytestmark = pytest.mark.ros


@pytest.fixture
def terminal():
    """A terminal: the end that a person types into, and the end that a program reads."""
    hand, screen = pty.openpty()
    with os.fdopen(screen, "r") as stream:
        yield hand, stream
    os.close(hand)


def test_a_key_is_a_word_at_once_and_without_enter(terminal, until):
    hand, stream = terminal
    heard = []
    console = Console(heard.append, stream)
    assert console.open()
    os.write(hand, b" rxq")
    assert until(lambda: len(heard) == 3)
    # q is nobody's key
    assert heard == ["hold", "resume", "stop"]
    console.close()


def test_the_terminal_is_left_as_it_was(terminal):
    _, stream = terminal
    before = termios.tcgetattr(stream)
    console = Console(lambda word: None, stream)
    console.open()
    assert termios.tcgetattr(stream) != before
    console.close()
    console.close()
    assert termios.tcgetattr(stream) == before
    assert "console" not in {each.name for each in threading.enumerate()}


def test_without_a_terminal_there_are_no_keys():
    read, write = os.pipe()
    with os.fdopen(read) as stream, os.fdopen(write, "w"):
        console = Console(lambda word: None, stream)
        assert not console.open()
        console.close()


@pytest.fixture
def graph():
    ours, theirs = Link("vlarl_test"), Link("somebody_else")
    ours.open()
    theirs.open()
    yield ours, theirs
    ours.close()
    theirs.close()


def test_words_come_from_keys_and_from_the_topic_and_each_counts_once(graph, terminal, until):
    ours, theirs = graph
    hand, stream = terminal
    operator, heard = Operator(stream), []
    operator.open(ours, "/vlarl/operator")
    theirs.listen("/vlarl/operator", String, "reliable", lambda each: heard.append(each.message))
    other = theirs.publisher("/vlarl/operator", String)
    assert until(lambda: other.get_subscription_count() == 2)
    assert until(lambda: operator._publisher.get_subscription_count() == 2)
    os.write(hand, b"s")
    # the guard hears the key's word as well, and here it does not come a second time
    assert until(lambda: [each.data for each in heard] == ["success"])
    assert until(lambda: not operator._own["success"])
    assert operator.words() == ("success",)
    other.publish(String(data="hold"))
    other.publish(String(data="open the pod bay doors"))
    other.publish(String(data="resume"))
    said = []
    assert until(lambda: said.extend(operator.words()) or len(said) == 2)
    assert said == ["hold", "resume"]
    assert operator.words() == ()
    operator.close()
    operator.close()


def test_a_word_that_did_not_come_back_before_the_end_silences_nobody_after_it(graph, until):
    ours, theirs = graph
    operator = Operator()
    operator.open(ours, "/vlarl/operator")
    operator._publisher = theirs.publisher("/elsewhere", String)
    operator.say("stop")
    operator.close()
    ours.close()
    assert operator.words() == ("stop",)
    operator.open(theirs, "/vlarl/operator")
    other = theirs.publisher("/vlarl/operator", String)
    assert until(lambda: other.get_subscription_count() == 1)
    other.publish(String(data="stop"))
    assert until(lambda: "stop" in operator.words())
    operator.close()
