"""The guard's talk never holds the guard up."""

import logging
import os
import select
import time

import pytest

from bridges.guard.talk import ROOM, Talk


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    yield reading, writing
    # The writing thread may live on: its end stays open, so that no later file gets that number.
    os.close(reading)


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


def test_what_was_left_out_is_counted_when_there_is_room_again(pipe):
    reading, writing = pipe
    talk = Talk(writing)
    log = log_to(talk)
    for number in range(4000):
        log.warning("%04d %s", number, "." * 94)
    read = b""
    while read.count(b"\n") < ROOM:  # then there is room again
        read += os.read(reading, 1 << 20)
    tries = 0
    while b"again" not in read:  # the thread that makes the room may be late
        log.warning("again")
        tries += 1
        if select.select([reading], [], [], 0.05)[0]:
            read += os.read(reading, 1 << 20)
    talk.close()
    while select.select([reading], [], [], 0.3)[0]:
        read += os.read(reading, 1 << 20)
    lines = read.decode().splitlines()
    said = sum(not line.startswith("(") for line in lines)
    missing = sum(int(line[1:].split()[0]) for line in lines if line.startswith("("))
    assert missing > 0
    assert said + missing == 4000 + tries


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
