"""A line to a served judge: bounded in time and bytes, tried again, and never led elsewhere."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import json
import logging
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

from agent.errors import RewardUnavailable, UsageError

log = logging.getLogger(__name__)

MOST_SENT = 64 << 20  # bytes of a request
MOST_TAKEN = 4 << 20  # bytes of an answer
FIRST_WAIT_S, LONGEST_WAIT_S = 0.25, 8.0
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent."""

    data: bytes
    kind: str


@dataclass(frozen=True, slots=True)
class Line:
    """Where a judge is served, and how long it is waited for.

    token: sent as a bearer's. retries: further tries, each after twice the wait before it.
    Redirections are not followed and proxies not asked: pictures go to this address alone.
    """

    url: str
    timeout_s: float
    retries: int
    token: str = field(default="", repr=False)

    def ask(self, path: str, body: Body | None = None) -> Any:  # noqa: ANN401  any JSON
        """Get or post, and read the answer as JSON. Raises RewardUnavailable."""
        if body is not None and len(body.data) > MOST_SENT:
            raise RewardUnavailable(
                f"a request of {MOST_SENT >> 20} MB at most wanted for {self.url}, found "
                f"{len(body.data) >> 20} MB; read fewer views or smaller pictures"
            )
        wait_s = FIRST_WAIT_S
        for left in range(self.retries, -1, -1):
            try:
                return self._once(path, body)
            except _Passing as error:
                if not left:
                    raise RewardUnavailable(f"{self.url}{path}: {error}; is it running?") from error
                log.info("%s%s: %s; asked again in %.2f s", self.url, path, error, wait_s)
            time.sleep(wait_s)
            wait_s = min(2.0 * wait_s, LONGEST_WAIT_S)
        raise AssertionError("the last try answers or raises")

    def _once(self, path: str, body: Body | None) -> Any:  # noqa: ANN401  any JSON
        parts = urlsplit(self.url)
        connection = _connection(parts, self.timeout_s)
        ended = threading.Event()
        try:
            connection.connect()
            # A socket's own time-out begins anew with every byte; this one does not. An answer
            # takes the socket out of its connection, so it is held here.
            clock = threading.Timer(self.timeout_s, _cut, (connection.sock, ended))
            clock.daemon = True
            clock.start()
            try:
                place = parts.path.rstrip("/") + path
                status, said = _exchange(connection, place, body, self.token)
            finally:
                clock.cancel()
        except (OSError, http.client.HTTPException) as error:
            late = ended.is_set() or isinstance(error, TimeoutError)
            why = f"no answer in {self.timeout_s:g} s" if late else f"no answer: {error!r}"
            raise _Passing(why) from error
        finally:
            connection.close()
        return _read(f"{self.url}{path}", status, said)


def line_to(url: str, timeout_s: float, retries: int, *, exposed: bool, token: str = "") -> Line:
    """Check an address before anything goes there. Raises UsageError."""
    wanted = f"reward.url: an address such as http://127.0.0.1:8000 wanted, found {url!r}"
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.port != 0 else None
    except ValueError as error:  # a port that is no number, half a bracket
        raise UsageError(wanted) from error
    if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment:
        raise UsageError(wanted)
    if parts.username is not None:
        raise UsageError("reward.url: no user name or password wanted; the token has its own place")
    if not is_loopback(host):
        if not exposed:
            raise UsageError(
                f"reward.url: {host} is another machine, and the robot's pictures would leave "
                "this one; allow it with --set reward.exposed=true, or serve it on 127.0.0.1"
            )
        if token and parts.scheme != "https":
            raise UsageError(f"reward.url: https wanted where a token goes to {host}, found {url}")
        log.warning("pictures of the robot are sent to %s", host)
    return Line(url.rstrip("/"), timeout_s, retries, token)


def is_loopback(host: str) -> bool:
    """Whether an address stays on this machine; a name other than localhost may not."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Passing(Exception):
    """Something that may be better at the next try."""


def _connection(parts: SplitResult, timeout_s: float) -> http.client.HTTPConnection:
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=timeout_s)


def _exchange(
    connection: http.client.HTTPConnection, path: str, body: Body | None, token: str
) -> tuple[int, bytes]:
    headers = {"Accept": "application/json", "Connection": "close"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if body is None:
        connection.request("GET", path, headers=headers)
    else:
        headers["Content-Type"] = body.kind
        connection.request("POST", path, body.data, headers)
    answer = connection.getresponse()
    said = bytearray()
    while len(said) <= MOST_TAKEN and (piece := answer.read(_PIECE)):
        said += piece
    if answer.length and len(said) <= MOST_TAKEN:
        raise http.client.IncompleteRead(bytes(said), answer.length)
    return answer.status, bytes(said)


def _read(where: str, status: int, said: bytes) -> Any:  # noqa: ANN401  any JSON
    if status >= 500 or status == 429:
        raise _Passing(f"it answered with {status}")
    if status != 200:
        start = said[:200].decode("utf-8", "replace")
        raise RewardUnavailable(f"{where}: 200 wanted, found {status}: {start}")
    if len(said) > MOST_TAKEN:
        raise RewardUnavailable(f"{where}: {MOST_TAKEN >> 20} MB at most wanted, found more")
    try:
        return json.loads(said)
    except (ValueError, RecursionError) as error:
        raise RewardUnavailable(f"{where}: JSON wanted, found {said[:80]!r}") from error


def _cut(sock: socket.socket, ended: threading.Event) -> None:
    """End whatever waits for this socket, which is closed by who waits."""
    ended.set()
    with contextlib.suppress(OSError):  # it has ended already
        sock.shutdown(socket.SHUT_RDWR)
