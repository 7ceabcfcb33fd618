"""One observation out of many streams: fresh, living pictures and the arm as it was with them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from agent.clock import now_s
from agent.episode import Observation, Uint8Array
from agent.errors import RobotFault
from bridges.cameras.frames import Camera, Frame
from bridges.cameras.picture import prepared
from bridges.feeling import Senses
from bridges.pose import Pose, inverse, product, turn_of
from calibration.profile import Profile

# An arm that went this far has changed what any of its cameras sees.
_MOVED_M, _MOVED_RAD = 0.005, 0.05
_LOOK_S = 0.002


@dataclass(frozen=True, slots=True)
class Sight:
    """An observation, and how old (s) each camera's picture and each part of the state was."""

    observation: Observation
    ages_s: Mapping[str, float]


class Views:
    """Assembles observations as the profile says. cameras: in the profile's order."""

    def __init__(self, profile: Profile, senses: Senses, cameras: tuple[Camera, ...]) -> None:
        self._profile, self._senses = profile, senses
        self._cameras = tuple(zip(profile.cameras, cameras, strict=True))

    def check(self) -> None:
        """Raises RobotFault where a camera is stale or frozen."""
        at_s = now_s()
        for spec, camera in self._cameras:
            self._living(spec.name, camera, at_s)

    def wait(self, timeout_s: float, pause: Callable[[float], None]) -> None:
        """Wait until every camera shows something; RobotFault where one does not."""
        ends_s = now_s() + timeout_s
        while True:
            try:
                return self.check()
            except RobotFault:
                if now_s() > ends_s:
                    raise
            pause(0.02)

    def look(self, instruction: str, opening_commanded: float, not_before_s: float) -> Sight:
        """Look, at pictures taken not before a moment where they come within the camera's limit.

        The arm's state is the one nearest to the oldest picture, whose time is the observation's.
        Raises RobotFault where a picture is stale, frozen, black or none.
        """
        frames = self._frames(not_before_s)
        images = {
            spec.name: self._seen(spec.name, prepared(frame.fetch(), spec))
            for (spec, _), frame in zip(self._cameras, frames, strict=True)
        }
        at_s = now_s()
        captured_s = min(frame.captured_s for frame in frames)
        felt = self._senses.near(captured_s)
        ages = {
            spec.name: frame.age_s(at_s)
            for (spec, _), frame in zip(self._cameras, frames, strict=True)
        }
        observation = Observation(
            images=images,
            proprio=self._senses.proprio(felt, opening_commanded),
            instruction=instruction,
            time_s=captured_s,
        )
        return Sight(observation, {**ages, **self._senses.ages(at_s)})

    def _frames(self, not_before_s: float) -> tuple[Frame, ...]:
        pause = threading.Event()
        ends_s = now_s() + self._profile.freshness.camera_s
        while True:
            at_s = now_s()
            late = at_s > ends_s
            newest = [camera.newest for _, camera in self._cameras]
            if late or all(each and each.captured_s >= not_before_s for each in newest):
                return tuple(self._living(spec.name, each, at_s) for spec, each in self._cameras)
            pause.wait(_LOOK_S)

    def _living(self, name: str, camera: Camera, at_s: float) -> Frame:
        fresh = self._profile.freshness
        frame = camera.newest
        if frame is None:
            raise RobotFault(
                f"pictures of camera {name!r} wanted, none came: "
                f"{camera.trouble or 'its driver runs, but sends none'}"
            )
        if frame.trouble:
            raise RobotFault(
                f"camera {name!r}: {frame.trouble}; "
                "set the clocks of both machines by one server (chrony)"
            )
        age_s = frame.age_s(at_s)
        if age_s > fresh.camera_s:
            raise RobotFault(
                f"camera {name!r} is {age_s:.2f} s old, limit {fresh.camera_s:.2f} s; "
                f"{camera.trouble or 'is its driver running, and its cable in?'}"
            )
        if 0 < fresh.frozen_frames <= frame.equal and self._moved_since(frame.since_s):
            raise RobotFault(
                f"camera {name!r} is frozen: {frame.equal} equal pictures while the arm moved; "
                "restart its driver"
            )
        return frame

    def _moved_since(self, moment_s: float) -> bool:
        then, now = self._senses.near(moment_s).pose, self._senses.now().pose
        return _apart(then, now)

    def _seen(self, name: str, picture: Uint8Array) -> Uint8Array:
        deviation = float(np.std(picture))
        if deviation < self._profile.freshness.black_std:
            raise RobotFault(
                f"camera {name!r} shows nothing: its values deviate by {deviation:.1f}, "
                f"{self._profile.freshness.black_std:.1f} wanted; is its cap on, or the light off?"
            )
        return picture


def _apart(one: Pose, other: Pose) -> bool:
    turn = turn_of(product(one.quaternion, inverse(other.quaternion)))
    way = one.position_m - other.position_m
    return bool(np.sqrt(way @ way) > _MOVED_M or np.sqrt(turn @ turn) > _MOVED_RAD)
