"""Draws what the cameras see in a thread of its own, so that drawing never holds the arm up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

import numpy as np

from agent import clock
from agent.episode import Uint8Array
from sim.franka.body import Body
from sim.franka.loop import Loop

log = logging.getLogger(__name__)

_SLIP_S = 0.2
# camera, wall-clock seconds of capture, picture
Show = Callable[[str, float, Uint8Array], None]


class Eyes:
    """Draws every camera so many times a second and shows the pictures."""

    def __init__(
        self, body: Body, loop: Loop, show: Show, hz: float, noise: float, cameras: Sequence[str]
    ) -> None:
        self.error: BaseException | None = None
        self._body, self._loop, self._show = body, loop, show
        self._period_s, self._noise, self._cameras = 1.0 / hz, noise, tuple(cameras)
        self._frozen: dict[str, Uint8Array] = {}
        self._rng = np.random.default_rng(0)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="eyes", daemon=True)
        self._ended: Callable[[], None] = lambda: None

    def start(self, ended: Callable[[], None]) -> None:
        """Begin to draw. ended: called when drawing died of an error, left in `error`."""
        self._ended = ended
        self._thread.start()

    def close(self) -> None:
        """Stop drawing. May be called twice."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def _run(self) -> None:
        try:
            # The drawing context belongs to the thread that made it.
            painter = self._body.painter()
            try:
                self._draw_on(painter.draw)
            finally:
                painter.close()
        except BaseException as error:
            log.exception("the simulated arm's cameras died")
            self.error = error
            self._ended()

    def _draw_on(self, draw: Callable[..., Uint8Array]) -> None:
        due = clock.now_s()
        while not self._ending.wait(max(0.0, due - clock.now_s())):
            moment = self._loop.moment
            for camera in self._cameras:
                faults = self._loop.faults
                if faults.has("camera_stale", camera):
                    continue
                if faults.has("camera_frozen", camera) and camera in self._frozen:
                    picture = self._frozen[camera]
                else:
                    picture = self._grainy(draw(moment.sight, camera))
                self._frozen[camera] = picture
                if faults.has("camera_black", camera):
                    picture = np.zeros_like(picture)
                self._show(camera, moment.wall_s, picture)
            due += self._period_s
            if clock.now_s() - due > _SLIP_S:
                due = clock.now_s()

    def _grainy(self, picture: Uint8Array) -> Uint8Array:
        """Last bits at random, as a real sensor's: no two pictures of a still world are equal."""
        if self._noise:
            noisy = picture + self._rng.normal(0.0, self._noise, picture.shape)
            picture = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
        grains: Uint8Array = self._rng.integers(0, 2, picture.shape, np.uint8)
        return np.bitwise_xor(picture, grains)
