"""Looks through a cell's cameras and at its arm without a guard: nothing can move by it."""

from __future__ import annotations

import time

import numpy as np

from agent.clock import now_s
from agent.errors import RobotFault, UsageError
from agent.protocols import Glance
from agent.settings import RobotSettings
from bridges.cameras.sources import make_cameras
from bridges.feeling import Senses
from bridges.node import Link
from bridges.pose import Float64Array
from calibration.complaints import ProfileError
from calibration.profile import load

_FIRST_S = 10.0  # a driver, or discovery, takes some seconds
_NEXT_S = 5.0
_LOOK_S = 0.005


class FrankaOnlooker:
    """One camera of a profile as it is, uncut, and the arm's pose with each picture."""

    def __init__(self, settings: RobotSettings, camera: str, *, posed: bool) -> None:
        try:
            profile = load(settings.profile)
        except ProfileError as error:
            raise UsageError(str(error)) from error
        self._specs = {each.name: each for each in profile.cameras}
        if camera not in self._specs:
            known = ", ".join(self._specs)
            raise UsageError(f"a camera of {known} wanted, found {camera!r}")
        self._link = Link("vlarl_onlooker", profile.topics.namespace)
        chosen = self._specs[camera]
        self._ros = posed or chosen.source.startswith("ros")
        (self._camera,) = make_cameras(
            profile.model_copy(update={"cameras": (chosen,)}), self._link
        )
        self._senses = Senses(profile) if posed else None
        self._name, self._last_s, self._opened = camera, -np.inf, False

    def look(self) -> Glance:
        """Wait for the next picture. Raises RobotFault where none comes, or no pose."""
        limit_s = _NEXT_S if self._opened else _FIRST_S
        self._open()
        ends_s = now_s() + limit_s
        while (frame := self._camera.newest) is None or frame.captured_s <= self._last_s:
            if now_s() > ends_s:
                raise RobotFault(
                    f"a picture of camera {self._name!r} within {limit_s:g} s wanted, none came: "
                    f"{self._camera.trouble or 'its driver runs, but sends none'}"
                )
            time.sleep(_LOOK_S)
        self._last_s = frame.captured_s
        return Glance(np.array(frame.fetch()), frame.captured_s, self._pose(frame.captured_s))

    def close(self) -> None:
        """Let go of camera and graph. May be called twice."""
        self._camera.close()
        self._link.close()

    def _open(self) -> None:
        if self._opened:
            return
        if self._ros:
            self._link.open()
        self._camera.open()
        if self._senses is not None:
            self._senses.open(self._link)
            self._senses.wait(_FIRST_S, time.sleep)
        self._opened = True

    def _pose(self, at_s: float) -> Float64Array | None:
        if self._senses is None:
            return None
        pose = self._senses.near(at_s).pose
        return np.concatenate([pose.position_m, pose.quaternion])
