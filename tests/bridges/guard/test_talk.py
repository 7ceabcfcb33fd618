"""The guard's talk never holds the guard up."""

import logging
import os
import time

import pytest

from bridges.guard.talk import ROOM, Talk


@pytest.fixture
def pipe():
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def log_to(talk):
    log = logging.getLogger("tests.talk")
    log.handlers, log.propagate = [talk], False
    return log


def test_a_reader_that_never_reads_holds_nobody_up(pipe):
    reading, writing = pipe
    talk = Talk(writing)
    log = log_to(talk)
    began_s = time.monotonic()
    # a pipe holds 64 KiB: 4000 lines of 100 bytes are six times as much
    for number in range(4000):
        log.warning("%04d %s", number, "." * 94)
    talk.close()
    assert time.monotonic() - began_s < 2.0
    read = os.read(reading, 1 << 20)
    # what found room comes whole and in order
    assert read.startswith(b"0000 " + b"." * 94 + b"\n0001 ")
    # let the writing thread go before the pipe is closed
    while read.count(b"\n") < ROOM:
        read += os.read(reading, 1 << 20)


def test_what_was_left_out_is_counted_when_there_is_room_again(pipe):
    reading, writing = pipe
    talk = Talk(writing)
    log = log_to(talk)
    for number in range(4000):
        log.warning("%04d %s", number, "." * 94)
    read = b""
    while read.count(b"\n") < ROOM:  # then there is room again
        read += os.read(reading, 1 << 20)
    log.warning("again")
    while not read.endswith(b"again\n"):
        read += os.read(reading, 1 << 20)
    talk.close()
    lines = read.decode().splitlines()
    said = sum("...." in line for line in lines)
    missing = sum(int(line[1:].split()[0]) for line in lines if line.startswith("("))
    assert missing > 0
    assert said + missing == 4000


def test_a_closed_reader_is_no_error(pipe):
    reading, writing = os.pipe()
    os.close(reading)
    talk = Talk(writing)
    log_to(talk).warning("nobody hears")
    talk.close()
    os.close(writing)


def test_all_is_said_before_the_end(pipe):
    reading, writing = pipe
    talk = Talk(writing)
    log_to(talk).error("the profile is wrong")
    talk.close()
    assert os.read(reading, 4096) == b"the profile is wrong\n"
