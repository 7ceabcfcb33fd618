"""LIBERO's control step on its own MuJoCo model, without robosuite's way around it."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import mujoco
import numpy as np
from numpy.typing import NDArray

from sim.libero.osc import gather, torques

Float64Array = NDArray[np.float64]

SUBSTEPS = 25
_SUBSTEP_S, _STEP_S = 0.002, 0.05
_FULL_M, _FULL_RAD = 0.05, 0.5
_FINGERS_A_SUBSTEP = 0.01  # share of half the fingers' range
_WHOLE = int(mujoco.mjtState.mjSTATE_INTEGRATION)


@dataclass(frozen=True, slots=True)
class Seen:
    """What LIBERO's sensors last caught, some substeps before the end of a control step.

    qpos: (nq,) positions that a picture of that moment shows. tool: (3,) m. turn: (4,) quaternion
    w x y z. fingers: (2,) m. sites: (nsite,) how visible each site then was.
    """

    qpos: Float64Array
    tool: Float64Array
    turn: Float64Array
    fingers: Float64Array
    sites: NDArray[np.float32]


class Clock:
    """When LIBERO's sensors look: robosuite's own sums of floats, so that none is ever missed."""

    def __init__(self) -> None:
        # A reset and a start state each let the sensors look once, out of turn.
        self._since_s, self._looked = _SUBSTEP_S + _SUBSTEP_S, True

    def tick(self) -> bool:
        """Let a substep pass; whether the sensors look at its end."""
        self._since_s += _SUBSTEP_S
        looks = not self._looked and self._since_s <= _STEP_S
        self._looked = self._looked or looks
        if self._since_s >= _STEP_S:
            looks = looks or not self._looked
            self._since_s %= _STEP_S
            self._looked = False
        return looks


@dataclass(frozen=True, slots=True)
class Kept:
    """A moment between two control steps, whole. state: of mjSTATE_INTEGRATION."""

    state: Float64Array
    goal_axes: Float64Array
    closing: float
    seen: Seen
    clock: Clock


class _Arm(NamedTuple):
    """What the controller knows of the arm, in the order that `torques` takes it."""

    place: Float64Array
    axes: Float64Array
    jacobian: Float64Array
    mass: Float64Array
    joints: Float64Array
    speeds: Float64Array


class Stepper:
    """Moves an environment's model by control steps of 50 ms.

    env: robosuite's environment; its controller, sensors and clock are not used any more.
    """

    def __init__(self, env: Any) -> None:  # noqa: ANN401 - LIBERO has no types
        self.model: mujoco.MjModel = env.sim.model._model
        self.data: mujoco.MjData = env.sim.data._data
        model, robot = self.model, env.robots[0]
        self._site = robot.eef_site_id
        self._hand = model.body(robot.robot_model.eef_name).id
        self._joints = np.array(robot._ref_joint_pos_indexes)
        self._dofs = np.array(robot._ref_joint_vel_indexes)
        self._motors = np.array(robot._ref_joint_actuator_indexes)
        self._grips = np.array(robot._ref_joint_gripper_actuator_indexes)
        self._fingers = np.array(robot._ref_gripper_joint_pos_indexes)
        self._mass_at = _mass_places(model, self._dofs)
        self._posture = np.array(robot.init_qpos, dtype=np.float64)
        told = robot.controller
        # LIBERO's controller looked at the arm before the start state was set, and does not look
        # again before its first command.
        self._before = _Arm(
            *map(
                np.ascontiguousarray,
                (
                    told.ee_pos, told.ee_ori_mat, told.J_full, told.mass_matrix,
                    told.joint_pos, told.joint_vel,
                ),
            )
        )  # fmt: skip
        low, high = model.actuator_ctrlrange.T
        # robosuite turns in single precision: with its own function the states agree to 1e-12.
        turning: Any = importlib.import_module("robosuite.utils.transform_utils")
        self._rotation: Callable[[Float64Array], Float64Array] = lambda vector: turning.quat2mat(
            turning.axisangle2quat(vector)
        )
        self._weakest, self._strongest = low[self._motors], high[self._motors]
        self._grip_middle = (low + high)[self._grips] / 2
        self._grip_half = (high - low)[self._grips] / 2 * np.array([-1.0, 1.0])
        # MuJoCo's own memory, looked up once.
        self._place = self.data.site_xpos[self._site]
        self._axes = self.data.site_xmat[self._site].reshape(3, 3)
        self._inertia, self._bias, self._ctrl = self.data.qM, self.data.qfrc_bias, self.data.ctrl
        self._linear = np.zeros((3, model.nv))
        self._angular = np.zeros((3, model.nv))
        self._clock = Clock()
        self._goal, self._goal_axes = self._before.place, self._before.axes
        self._placed, self._closing = False, 0.0
        self.reach = 1.0  # how far from their middle the fingers go, share of what they can
        self.seen = self._catch(self.data.qpos.copy())

    def place(self, state: Float64Array) -> None:
        """Go to a stored state, (1 + nq + nv,), as LIBERO does: at rest, nothing commanded."""
        model, data = self.model, self.data
        mujoco.mj_resetData(model, data)
        data.time = state[0]
        data.qpos[:] = state[1 : 1 + model.nq]
        data.qvel[:] = state[1 + model.nq :]
        mujoco.mj_forward(model, data)
        self._goal_axes, self._placed = self._before.axes, True
        self._closing = 0.0
        self._clock = Clock()
        self.seen = self._catch(data.qpos.copy())

    def step(self, command: Float64Array) -> None:
        """Live through one control step. command: (7,) as LIBERO's, gripper -1 open, +1 closed."""
        model, data = self.model, self.data
        for substep in range(SUBSTEPS):
            mujoco.mj_step1(model, data)
            arm = self._before if self._placed else self._feel()
            self._placed = False
            if substep == 0:
                self._aim(np.clip(command[:6], -1.0, 1.0), arm)
            self._pull(arm, float(np.sign(command[6])))
            before = data.qpos.copy() if self._clock.tick() else None
            mujoco.mj_step2(model, data)
            if before is not None:
                self.seen = self._catch(before)

    def keep(self) -> Kept:
        """Give all that `resume` needs to go on from here."""
        state = np.empty(mujoco.mj_stateSize(self.model, _WHOLE))
        mujoco.mj_getState(self.model, self.data, state, _WHOLE)
        return Kept(state, self._goal_axes, self._closing, self.seen, copy.copy(self._clock))

    def resume(self, kept: Kept) -> None:
        """Go back to a moment between two control steps."""
        mujoco.mj_resetData(self.model, self.data)
        mujoco.mj_setState(self.model, self.data, kept.state, _WHOLE)
        # Where everything is follows from the state, and finding it alters the solver's first
        # guess, which is part of the state.
        mujoco.mj_forward(self.model, self.data)
        mujoco.mj_setState(self.model, self.data, kept.state, _WHOLE)
        self._goal_axes, self._closing = kept.goal_axes, kept.closing
        self.seen, self._clock, self._placed = kept.seen, copy.copy(kept.clock), False

    def _feel(self) -> _Arm:
        model, data = self.model, self.data
        mujoco.mj_jacSite(model, data, self._linear, self._angular, self._site)
        inner = gather(
            self._linear, self._angular, self._inertia, data.qpos, data.qvel,
            self._dofs, self._joints, self._mass_at,
        )  # fmt: skip
        return _Arm(self._place, self._axes, *inner)

    def _aim(self, delta: Float64Array, arm: _Arm) -> None:
        self._goal = arm.place + _FULL_M * delta[:3]
        # A command without a turn leaves the goal's axes where they were.
        if delta[3:].any():
            self._goal_axes = self._rotation(_FULL_RAD * delta[3:]) @ arm.axes

    def _pull(self, arm: _Arm, closing: float) -> None:
        wanted = torques(self._goal, self._goal_axes, *arm, self._posture)
        wanted += self._bias[self._dofs]
        self._ctrl[self._motors] = np.minimum(np.maximum(wanted, self._weakest), self._strongest)
        # The fingers are commanded apart and together, never both to one side.
        closing = self._closing + closing * _FINGERS_A_SUBSTEP
        self._closing = min(max(closing, -self.reach), self.reach)
        self._ctrl[self._grips] = self._grip_middle + self._grip_half * self._closing

    def _catch(self, qpos: Float64Array) -> Seen:
        data = self.data
        return Seen(
            qpos,
            data.site_xpos[self._site].copy(),
            data.xquat[self._hand].copy(),
            data.qpos[self._fingers],
            self.model.site_rgba[:, 3].copy(),
        )


def _mass_places(model: mujoco.MjModel, dofs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where in MuJoCo's sparse inertia matrix the entries of a chain of joints are, (n, n)."""
    size = len(dofs)
    places = np.zeros((size, size), dtype=np.int64)
    for row in range(size):
        for column in range(row + 1):
            # A row begins with its own joint and goes up the chain to the root.
            places[row, column] = model.dof_Madr[dofs[row]] + row - column
            places[column, row] = places[row, column]
    return places
