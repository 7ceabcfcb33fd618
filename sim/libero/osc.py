"""LIBERO's controller of the arm: torques that pull the tool to its goal, compiled.

Khatib (1987), A unified approach for motion and force control of robot manipulators, with position
and orientation uncoupled and a damped pull to a posture in the null space, as robosuite's OSC_POSE:
    tau = J' [Lp f; Lr t] + bias + M y - J' L J y,    y = kn (q0 - q) - dn q'
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]
Int64Array = NDArray[np.int64]

_KP = 150.0  # 1/s2, critically damped
_KD = 2.0 * math.sqrt(_KP)
_KN = 10.0
_DN = 2.0 * math.sqrt(_KN)


@numba.njit(cache=True)
def _inverse(matrix: Float64Array) -> Float64Array:
    """Inverse of a symmetric positive definite matrix, by Gauss-Jordan elimination."""
    size = matrix.shape[0]
    left, right = matrix.copy(), np.eye(size)
    for pivot in range(size):
        # At a stretched-out arm a pivot can vanish; its direction is then left without force.
        scale = 1.0 / left[pivot, pivot] if left[pivot, pivot] > 1e-12 else 0.0
        for column in range(size):
            left[pivot, column] *= scale
            right[pivot, column] *= scale
        for row in range(size):
            if row != pivot:
                factor = left[row, pivot]
                for column in range(size):
                    left[row, column] -= factor * left[pivot, column]
                    right[row, column] -= factor * right[pivot, column]
    return right


@numba.njit(cache=True)
def gather(  # noqa: PLR0913, PLR0917  numba takes no dataclass
    linear: Float64Array,
    angular: Float64Array,
    inertia: Float64Array,
    positions: Float64Array,
    speeds: Float64Array,
    dofs: Int64Array,
    joints: Int64Array,
    entries: Int64Array,
) -> tuple[Float64Array, Float64Array, Float64Array, Float64Array]:
    """Pick the arm's Jacobian (6, n), mass (n, n), angles (n,) and speeds (n,) out of a scene's.

    entries: (n, n), where in MuJoCo's sparse inertia the arm's entries are.
    """
    size = len(dofs)
    jacobian, mass = np.empty((6, size)), np.empty((size, size))
    angles, rates = np.empty(size), np.empty(size)
    for column in range(size):
        for row in range(3):
            jacobian[row, column] = linear[row, dofs[column]]
            jacobian[3 + row, column] = angular[row, dofs[column]]
        for row in range(size):
            mass[row, column] = inertia[entries[row, column]]
        angles[column] = positions[joints[column]]
        rates[column] = speeds[dofs[column]]
    return jacobian, mass, angles, rates


@numba.njit(cache=True)
def torques(  # noqa: PLR0913, PLR0917  numba takes no dataclass
    goal: Float64Array,
    goal_axes: Float64Array,
    place: Float64Array,
    axes: Float64Array,
    jacobian: Float64Array,
    mass: Float64Array,
    joints: Float64Array,
    speeds: Float64Array,
    posture: Float64Array,
) -> Float64Array:
    """Give the seven torques, Nm, without the compensation of gravity.

    goal, place: (3,) m; goal_axes, axes: (3, 3). jacobian: (6, 7). mass: (7, 7).
    joints, posture: (7,) rad. speeds: (7,) rad/s.
    """
    moving = jacobian @ speeds
    inverse_mass = _inverse(mass)
    mobility = jacobian @ inverse_mass @ jacobian.T
    force, turning = np.empty(3), np.zeros(3)
    for axis in range(3):
        now, wanted = axes[:, axis], goal_axes[:, axis]
        turning[0] += 0.5 * (now[1] * wanted[2] - now[2] * wanted[1])
        turning[1] += 0.5 * (now[2] * wanted[0] - now[0] * wanted[2])
        turning[2] += 0.5 * (now[0] * wanted[1] - now[1] * wanted[0])
        force[axis] = _KP * (goal[axis] - place[axis]) - _KD * moving[axis]
    wrench = np.empty(6)
    wrench[:3] = _inverse(mobility[:3, :3]) @ force
    wrench[3:] = _inverse(mobility[3:, 3:]) @ (_KP * turning - _KD * moving[3:])
    pull = _KN * (posture - joints) - _DN * speeds
    wrench -= _inverse(mobility) @ (jacobian @ pull)
    return jacobian.T @ wrench + mass @ pull
