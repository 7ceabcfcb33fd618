"""An arm without physics: joints follow a target through inverse kinematics, with a lag."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence

import numpy as np

from agent.errors import UsageError
from calibration.franka import Model, forward, jacobian, speed_limits
from sim.franka.body import TICK_S, Sight
from sim.franka.painting import FIELD_RAD, SketchPainter
from sim.franka.pose import Felt, Pose, towards
from sim.tabletop.arm import turn

_LAG_S = 0.06  # what an impedance controller of 17 rad/s lags behind a moving target, roughly
_PULL_M, _PULL_RAD = 0.1, 0.5  # CRISP's error clip
_DAMPING = 1e-4
_POSTURE_HZ = 0.5  # how fast the elbow comes back to where it was
_GRIP_S = 0.4  # from open to closed, as the tabletop's hand
_NEAR_M = 0.02


class KinematicBody:
    """Seven joints, a hand, and a mark to be touched.

    Every start state bends the home posture a little and puts the mark elsewhere; the task's
    words choose among them and mean nothing else. The goal is met where the tool is at the mark.
    """

    def __init__(
        self, model: Model, home_rad: Sequence[float], cameras: Sequence[str], image_px: int
    ) -> None:
        self._model, self._cameras, self._image_px = model, tuple(cameras), image_px
        self._middle = np.array(home_rad, np.float64)
        self._low, self._high = np.array(model.low_rad), np.array(model.high_rad)
        self.reset("", 0, 0)

    def cameras(self) -> Mapping[str, float]:
        """Those it was told of."""
        return dict.fromkeys(self._cameras, FIELD_RAD)

    def painter(self) -> SketchPainter:
        """A painter of plain sketches."""
        return SketchPainter(self._cameras, self._image_px)

    def reset(self, task: str, start: int, seed: int) -> None:
        """Bend the arm and put the mark as this start state has it; the seed changes nothing."""
        if start < 0 or seed < 0:
            raise UsageError(f"start states and seeds from 0 wanted, found {start}, seed {seed}")
        rng = np.random.default_rng([zlib.crc32(task.encode()), start])
        bent = self._middle + rng.uniform(-0.05, 0.05, 7)
        self._joints = self._posture = np.clip(bent, self._low + 0.02, self._high - 0.02)
        self._speeds = np.zeros(7)
        self._home = self._target = self._tool()
        self._mark = self._home.position + rng.uniform([-0.06, -0.10, -0.10], [0.06, 0.10, -0.05])
        self._opening = self._asked = 1.0

    def follow(self, target: Pose) -> None:
        """Take a new target."""
        self._target = target

    def grip(self, opening: float) -> None:
        """Take a new opening."""
        self._asked = opening

    def stop(self) -> None:
        """Hold where the arm is."""
        self._target = self._tool()

    def tick(self) -> None:
        """Move the joints for TICK_S, no faster than the arm can."""
        tool = self._tool()
        near = towards(tool, self._target, _PULL_M, _PULL_RAD)
        error = np.concatenate([near.position - tool.position, turn(near.axes @ tool.axes.T)])
        step = error * (1.0 - math.exp(-TICK_S / _LAG_S))
        jac = jacobian(self._joints)
        inverse = jac.T @ np.linalg.inv(jac @ jac.T + _DAMPING * np.eye(6))
        spare = _POSTURE_HZ * TICK_S * (self._posture - self._joints)
        wanted = inverse @ step + spare - inverse @ (jac @ spare)
        low, high = speed_limits(self._model, self._joints)
        # All joints are slowed alike, or the tool would leave its line.
        over = max(1.0, float(np.max(wanted / (np.where(wanted < 0, low, high) * TICK_S + 1e-9))))
        joints = np.clip(self._joints + wanted / over, self._low, self._high)
        self._speeds = (joints - self._joints) / TICK_S
        self._joints = joints
        stride = TICK_S / _GRIP_S
        self._opening += min(max(self._asked - self._opening, -stride), stride)

    def felt(self) -> Felt:
        """What the arm feels."""
        return Felt(self._joints.copy(), self._speeds.copy(), self._tool(), self._opening)

    @property
    def home(self) -> Pose:
        """Where the tool was at the start state."""
        return self._home

    def met(self) -> bool:
        """Whether the tool is at the mark."""
        return bool(np.linalg.norm(self._tool().position - self._mark) < _NEAR_M)

    def sight(self) -> Sight:
        """Tool, mark and hand."""
        opening = np.array([self._opening])
        return Sight({"tool": self._tool().position, "mark": self._mark, "opening": opening})

    def _tool(self) -> Pose:
        position, axes = forward(self._joints)
        return Pose(position, axes)
