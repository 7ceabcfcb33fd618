"""The person at the arm: words from the console's keys and from a topic, never waited for."""

from __future__ import annotations

import atexit
import logging
import os
import select
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, TextIO

from bridges.node import Link
from bridges.topic import Sample
from bridges.wire import DEPTH, OPERATOR_WORDS

log = logging.getLogger(__name__)

KEYS = {
    " ": "hold", "h": "hold", "r": "resume", "x": "stop", "s": "success", "f": "failure",
    "t": "take", "l": "release", "a": "arm", "d": "disarm", "c": "clear",
}  # fmt: skip
HELP = "keys: space hold, r resume, x stop, s success, f failure, t take, l release, a arm, c clear"
_LOOK_S = 0.1


class Console:
    """Single keys of a terminal, on a thread of their own; nothing where there is no terminal."""

    def __init__(self, hear: Callable[[str], None], stream: TextIO | None = None) -> None:
        self._hear, self._stream = hear, stream
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._before: list[Any] | None = None

    def open(self) -> bool:
        """Start to read keys; False where nobody can press any."""
        stream = self._stream or sys.stdin
        if self._thread is not None or stream is None or not stream.isatty():
            return self._thread is not None
        import termios
        import tty

        handle = stream.fileno()
        # Reading a terminal from the background stops the whole process.
        if os.isatty(handle) and not _in_front(handle):
            return False
        self._before = termios.tcgetattr(handle)
        # Keys at once, without Enter; Ctrl-C still interrupts.
        tty.setcbreak(handle, termios.TCSANOW)
        atexit.register(self.close)
        self._ended.clear()
        self._thread = threading.Thread(
            target=self._read, args=(handle,), name="console", daemon=True
        )
        self._thread.start()
        return True

    def close(self) -> None:
        """Stop reading and leave the terminal as it was. May be called twice."""
        if self._thread is None:
            return
        import termios

        atexit.unregister(self.close)
        self._ended.set()
        if self._thread is not threading.current_thread():
            self._thread.join(1.0)
        self._thread = None
        if self._before is not None:
            termios.tcsetattr((self._stream or sys.stdin).fileno(), termios.TCSANOW, self._before)

    def _read(self, handle: int) -> None:
        while not self._ended.is_set():
            ready, _, _ = select.select([handle], [], [], _LOOK_S)
            if not ready:
                continue
            try:
                pressed = os.read(handle, 64)
            except OSError:
                return
            if not pressed:
                return
            for key in pressed.decode(errors="ignore"):
                if key.lower() in KEYS:
                    self._hear(KEYS[key.lower()])


class Operator:
    """Collects what a person says; the guard hears the same words on the same topic."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._console = Console(self.say, stream)
        self._lock = threading.Lock()
        self._said: deque[str] = deque(maxlen=100)
        self._own: Counter[str] = Counter()
        self._publisher: Any = None

    def open(self, link: Link, topic: str) -> None:
        """Listen to the topic and, where there is a terminal, to its keys."""
        from std_msgs.msg import String

        link.listen(topic, String, "reliable", self._heard, DEPTH)
        self._publisher = link.publisher(topic, String, DEPTH)
        if self._console.open():
            log.warning(HELP)

    def attend(self, *, keys: bool) -> None:
        """Take keys of the terminal as words, or leave them to whoever asks questions there."""
        if not keys:
            self._console.close()
        elif self._publisher is not None:
            self._console.open()

    def close(self) -> None:
        """Stop listening to keys. May be called twice."""
        self._console.close()
        self._publisher = None
        with self._lock:
            # One's own words that were still under way do not come back any more.
            self._own.clear()

    def say(self, word: str) -> None:
        """Take a word and tell it to the guard."""
        from std_msgs.msg import String

        publisher = self._publisher
        with self._lock:
            self._said.append(word)
            if publisher is not None:
                self._own[word] += 1
        if publisher is not None:
            publisher.publish(String(data=word))

    def words(self) -> tuple[str, ...]:
        """What was said since the last time this was asked, oldest first."""
        with self._lock:
            said = tuple(self._said)
            self._said.clear()
        return said

    def _heard(self, sample: Sample) -> None:
        word = str(sample.message.data).strip()
        if word not in OPERATOR_WORDS:
            log.warning("nobody knows the operator's word %r; known: %s", word[:40], OPERATOR_WORDS)
            return
        with self._lock:
            # One's own words come back on the topic.
            if self._own[word]:
                self._own[word] -= 1
            else:
                self._said.append(word)


def _in_front(handle: int) -> bool:
    try:
        return os.tcgetpgrp(handle) == os.getpgrp()
    except OSError:
        return True  # no job control, so nothing that could stop it
