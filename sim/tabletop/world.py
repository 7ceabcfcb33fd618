"""The physics: one arm, one table, moved a control step at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import mujoco
import numpy as np

from agent.episode import Float32Array
from sim.shifting.cameras import moved_cameras
from sim.tabletop.arm import TIP_M, Float64Array
from sim.tabletop.board import with_board
from sim.tabletop.catalog import BUTTON_TRAVEL_M, CONTROL_HZ, FIXTURES, PLACED, WIDEST_M, Wish
from sim.tabletop.control import ToolControl
from sim.tabletop.cue import hide_cue, pick_cue_up
from sim.tabletop.scene import TIMESTEP_S, scene_xml, things
from sim.tabletop.shifts import Shifts
from sim.tabletop.starts import Start

if TYPE_CHECKING:
    from calibration.board import Board

SUBSTEPS = round(1.0 / (CONTROL_HZ * TIMESTEP_S))
TORQUES_EVERY = 2  # substeps; 100 Hz is enough for a tool that follows with 17 rad/s
_GRIP_SECONDS = 0.4  # from open to closed: eight control steps, as LIBERO's hand


class World:
    """A simulated table. All positions are metres from the middle of the workspace.

    board: lies there to be seen, and is touched by nothing.
    """

    def __init__(self, shifts: Shifts, image_px: int, board: Board | None = None) -> None:
        self.things = {thing.name: thing for thing in things(shifts)}
        scene, files = scene_xml(shifts, image_px), dict[str, bytes]()
        if board is not None:
            scene, files = with_board(scene, board)
        self.model = mujoco.MjModel.from_xml_string(scene, files)
        moved_cameras(self.model, shifts)
        self._cued = bool(shifts.cue)
        self.data = mujoco.MjData(self.model)
        self.control = ToolControl(self.model, self.data)
        self.finger_ids = frozenset(
            self.model.geom(f"finger_{side}").id for side in ("left", "right")
        )
        self._fingers = self.model.joint("finger_left").qposadr[0]
        self._cap = self.model.joint("cap").qposadr[0]
        self._grip = self.model.actuator("grip").id
        self._bodies = {name: self.model.body(name).id for name in (*self.things, *FIXTURES)}
        self._geoms = {name: self.model.geom(name).id for name in (*self.things, "plate", "basket")}

    def place(self, start: Start, seed: int) -> None:
        """Put everything at a start state; seed places what the start state does not name."""
        data, model = self.data, self.model
        mujoco.mj_resetData(model, data)
        data.qpos[:7] = start.joints
        data.qpos[self._fingers : self._fingers + 2] = WIDEST_M / 2
        data.ctrl[self._grip] = WIDEST_M / 2
        spots = dict(zip(PLACED, start.placed, strict=True))
        spots |= self._distractor_spots(start.placed, seed)
        for name, (x, y, yaw) in spots.items():
            quaternion = (np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2))
            if name in self.things:
                address = model.joint(name).qposadr[0]
                data.qpos[address : address + 3] = x, y, self.things[name].half[2]
                data.qpos[address + 3 : address + 7] = quaternion
            else:
                mocap = model.body(name).mocapid[0]
                data.mocap_pos[mocap] = x, y, 0.0
                data.mocap_quat[mocap] = quaternion
        mujoco.mj_forward(model, data)
        if self._cued:
            hide_cue(model)
        self.control.start()

    def advance(self, move: Float64Array, opening: float) -> None:
        """Live through one control step. move: (6,) m and rad. opening: 0 closed .. 1 open."""
        for substep in range(SUBSTEPS):
            aim = (lambda: self.control.aim(move)) if substep == 0 else None
            self.live(opening, aim, pull=substep % TORQUES_EVERY == 0)
        mujoco.mj_kinematics(self.model, self.data)
        if self._cued:
            pick_cue_up(self.model, float(self.control.position[2]))

    def live(self, opening: float, aim: Callable[[], None] | None, *, pull: bool) -> None:
        """Live through one substep of TIMESTEP_S. Kinematics are then as before it.

        aim: sets a new goal; called with positions up to date. pull: compute the torques anew.
        """
        data, model = self.data, self.model
        wanted = opening * WIDEST_M / 2
        stride = WIDEST_M / 2 * TIMESTEP_S / _GRIP_SECONDS
        mujoco.mj_step1(model, data)
        if aim is not None:
            aim()
        if pull:
            data.ctrl[:7] = self.control.torques()
        ahead = wanted - data.ctrl[self._grip]
        data.ctrl[self._grip] += min(max(ahead, -stride), stride)
        mujoco.mj_step2(model, data)

    @property
    def tip(self) -> Float64Array:
        """The end of the fingers (3,) m."""
        return self.control.position + self.control.axes[:, 2] * TIP_M

    @property
    def opening(self) -> float:
        """Measured opening of the fingers, 0 closed .. 1 open."""
        left, right = self.data.qpos[self._fingers : self._fingers + 2]
        return float(np.clip((left + right) / WIDEST_M, 0.0, 1.0))

    @property
    def pressed(self) -> float:
        """How far the button is down, 0 .. 1 of its travel."""
        return float(-self.data.qpos[self._cap] / BUTTON_TRAVEL_M)

    def where(self, name: str) -> Float64Array:
        """Position of a thing or fixture (3,) m."""
        return np.array(self.data.xpos[self._bodies[name]])

    def axes_of(self, name: str) -> Float64Array:
        """Axes of a thing (3, 3), as columns."""
        return np.array(self.data.xmat[self._bodies[name]]).reshape(3, 3)

    def speed_of(self, name: str) -> float:
        """Speed of a thing, m/s."""
        address = self.model.joint(name).dofadr[0]
        return float(np.linalg.norm(self.data.qvel[address : address + 3]))

    def touched_by(self, name: str) -> frozenset[int]:
        """Ids of the geoms in contact with a thing, as of the last physics step."""
        pairs = self.data.contact.geom
        mine = self._geoms[name]
        return frozenset(pairs[pairs[:, 0] == mine, 1]) | frozenset(pairs[pairs[:, 1] == mine, 0])

    def touch(self, name: str, other: str) -> bool:
        """Whether two things are in contact."""
        return self._geoms[other] in self.touched_by(name)

    def held(self, name: str) -> bool:
        """Whether both fingers are in contact with a thing."""
        return self.finger_ids <= self.touched_by(name)

    def landmarks(self, wish: Wish) -> Float32Array:
        """Positions (13, 3) m of what LANDMARKS names, whatever the task."""
        rows = [self.where(wish.thing), self.where(wish.place), self.control.position]
        return np.array(rows + [self.where(name) for name in PLACED], np.float32)

    def _distractor_spots(self, placed: Float64Array, seed: int) -> dict[str, Float64Array]:
        rng = np.random.default_rng([seed, *placed[:6, 0].astype(np.float32).view(np.uint32)])
        taken = placed[:, :2]
        spots = {}
        for name in self.things:
            if not name.startswith("distractor"):
                continue
            tries = rng.uniform([-0.16, -0.21], [0.06, 0.21], (200, 2))
            room = np.linalg.norm(tries[:, None] - taken, axis=2).min(axis=1)
            roomy = tries[room > 0.07] if (room > 0.07).any() else tries[[room.argmax()]]
            spots[name] = np.append(roomy[0], 0.0)
            taken = np.vstack([taken, roomy[0]])
        return spots
