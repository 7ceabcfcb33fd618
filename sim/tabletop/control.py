"""Operational-space control of the tool: torques that behave like a damped spring to a goal.

Khatib (1987), A unified approach for motion and force control of robot manipulators, eq. 51:
    tau = J' L (kp e - kd v) + bias + N' M (kn (q0 - q) - dn q'),
    L = (J M^-1 J')^-1,  N = I - M^-1 J' L J.
"""

from __future__ import annotations

import math

import mujoco
import numpy as np

from sim.tabletop.arm import DOWN, POSTURE_RAD, TORQUE_NM, Float64Array, turn, turned

_KP = 300.0  # 1/s2: the tool follows with 17 rad/s, critically damped
_KD = 2.0 * math.sqrt(_KP)
_KN = 25.0
_DN = 2.0 * math.sqrt(_KN)
_LEASH_RAD = 0.5
# The goal stays in here, as on a real cell: beyond lie the table and the end of the arm.
_LOW_M = (-0.22, -0.28, 0.011)
_HIGH_M = (0.27, 0.28, 0.35)


class ToolControl:
    """Keeps the tool's goal and turns it into joint torques."""

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        self._model, self._data = model, data
        self._site = model.site("tool").id
        self._jacobian = np.zeros((6, model.nv))
        self._mass = np.zeros((model.nv, model.nv))
        self._posture = np.array(POSTURE_RAD)
        self._torque = np.array(TORQUE_NM)
        self._goal = np.zeros(3)
        self._goal_axes = np.eye(3)

    @property
    def position(self) -> Float64Array:
        """Tool point (3,) m, in the world."""
        return np.array(self._data.site_xpos[self._site])

    @property
    def axes(self) -> Float64Array:
        """Axes of the hand (3, 3), as columns."""
        return np.array(self._data.site_xmat[self._site]).reshape(3, 3)

    def start(self) -> None:
        """Hold the tool where it is, pointing straight down."""
        self._goal = self.position
        self._goal_axes = DOWN.copy()

    def aim(self, move: Float64Array) -> None:
        """Set the goal of the next control step. move: (6,) m and rad, in the world's axes.

        The position goal starts from where the tool is, as in robosuite, so that a blocked arm
        does not wind up. The orientation goal starts from the last one, so that it does not sag,
        and stays within half a radian of the hand for the same reason. The position goal is kept
        inside the cell's box.
        """
        self._goal = np.clip(self.position + move[:3], _LOW_M, _HIGH_M)
        self._point(turned(move[3:]) @ self._goal_axes)

    def hold(self, position: Float64Array, axes: Float64Array) -> None:
        """Set the goal outright. position: (3,) m, kept inside the box. axes: (3, 3)."""
        self._goal = np.clip(position, _LOW_M, _HIGH_M)
        self._point(axes)

    def _point(self, wanted: Float64Array) -> None:
        ahead = turn(wanted @ self.axes.T)
        angle = math.sqrt(float(ahead @ ahead))
        if angle > _LEASH_RAD:
            wanted = turned(ahead * (_LEASH_RAD / angle)) @ self.axes
        self._goal_axes = wanted

    def torques(self) -> Float64Array:
        """Joint torques (7,) N m for the present state.

        Wants positions and velocities up to date, as mj_step1 leaves them.
        """
        model, data = self._model, self._data
        mujoco.mj_jacSite(model, data, self._jacobian[:3], self._jacobian[3:], self._site)
        mujoco.mj_fullM(model, self._mass, data.qM)
        jacobian, mass = self._jacobian[:, :7], self._mass[:7, :7]
        speed = data.qvel[:7]
        error = np.concatenate(
            [self._goal - data.site_xpos[self._site], turn(self._goal_axes @ self.axes.T)]
        )
        by_mass = np.linalg.solve(mass, jacobian.T)  # M^-1 J'
        inertia = np.linalg.inv(jacobian @ by_mass + 1e-6 * np.eye(6))
        wrench = inertia @ (_KP * error - _KD * (jacobian @ speed))
        posture = mass @ (_KN * (self._posture - data.qpos[:7]) - _DN * speed)
        spare = posture - jacobian.T @ (inertia @ (by_mass.T @ posture))
        torques = jacobian.T @ wrench + spare + data.qfrc_bias[:7]
        return np.asarray(np.clip(torques, -self._torque, self._torque))
