"""How many faults in a row a run bears, with a longer wait after each."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from agent import clock
from agent.errors import VlarlError

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 30.0
_LOOK_S = 0.05  # how often a wait asks whether to stop


class Patience:
    """Bears `retries` faults in a row; each wait is twice the one before, 30 s at most."""

    def __init__(
        self, retries: int, first_wait_s: float, stop_wanted: Callable[[], bool] = lambda: False
    ) -> None:
        self._retries, self._first_wait_s = retries, first_wait_s
        self._stop_wanted = stop_wanted
        self._in_a_row = 0

    def bear(self, fault: VlarlError) -> None:
        """Wait before another try. Raises the fault itself once too many have come in a row."""
        self._in_a_row += 1
        if self._in_a_row > self._retries:
            raise fault
        wait_s = min(self._first_wait_s * 2.0 ** (self._in_a_row - 1), LONGEST_WAIT_S)
        log.warning(
            "fault %d of %d borne, next try in %.0f s: %s",
            self._in_a_row, self._retries, wait_s, fault,
        )  # fmt: skip
        until_s = clock.now_s() + wait_s
        while clock.now_s() < until_s and not self._stop_wanted():
            time.sleep(_LOOK_S)

    def relieved(self) -> None:
        """Begin to count anew: something went well."""
        self._in_a_row = 0
