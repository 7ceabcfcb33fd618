"""Signals to stop, collected and answered at the next decision instead of died of."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def stoppable(
    what: str, said: str = "stopping after this decision; everything sealed is kept"
) -> Iterator[Callable[[], bool]]:
    """Collect stop signals instead of dying of them; a third one is taken literally.

    Gives the question whether to stop. It is asked at every decision and in every wait, so a
    service manager is told that all is well for as long as it is asked.
    """
    from agent.notify import Watchdog

    received: list[int] = []
    watchdog = Watchdog(os.environ)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, _frame: object) -> None:
        received.append(number)
        if len(received) == 1:
            sys.stderr.write(f"{said}\n")
        if len(received) >= 3:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    def stop_wanted() -> bool:
        watchdog.alive()
        return bool(received)

    for number in before:
        signal.signal(number, note)
    watchdog.ready(what)
    try:
        yield stop_wanted
    finally:
        watchdog.stopping()
        for number, handler in before.items():
            signal.signal(number, handler)
