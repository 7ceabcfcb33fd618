"""One LIBERO environment: built for a task, set to a start state, stepped, drawn, looked into."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.episode import Float32Array, Uint8Array
from agent.errors import DataError
from sim.libero.install import load_libero, numpy_seed
from sim.libero.pins import Pin
from sim.libero.starts import read_starts

Float64Array = NDArray[np.float64]

CAMERAS: Mapping[str, str] = {"agentview": "agentview", "eye_in_hand": "robot0_eye_in_hand"}
SETTLING_STEPS = 10
_STILL = np.array([0, 0, 0, 0, 0, 0, -1.0])


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a thing is in the world: position (3,) m and rotation (3, 3)."""

    position: Float64Array
    rotation: Float64Array


class World:
    """LIBERO's own environment for one task; building it takes seconds.

    cameras: our names of those to draw; none at all makes a step six times cheaper.
    """

    def __init__(
        self, pin: Pin, cameras: tuple[str, ...], px: int, assets: str, render: str
    ) -> None:
        bddl = pin.bddl()
        self.pin = pin
        self._starts = read_starts(pin.starts())
        self._cameras = cameras
        env_class = load_libero(assets, render)
        try:
            with contextlib.redirect_stdout(sys.stderr), numpy_seed(0):
                self._env = env_class(
                    bddl_file_name=str(bddl),
                    use_camera_obs=bool(cameras),
                    camera_names=[CAMERAS[name] for name in cameras] or ["agentview"],
                    camera_heights=px,
                    camera_widths=px,
                    # The model of a task never changes: only the state goes back at a reset.
                    hard_reset=False,
                    ignore_done=True,
                )
        except (OSError, ValueError) as error:  # MuJoCo has ValueError for a mesh it cannot open
            raise DataError(f"{pin.name} cannot be built from these assets: {error}") from error
        self._shutters = [
            _Shutter(self._env.env._observables[f"{CAMERAS[name]}_image"]) for name in cameras
        ]
        self._seen: Mapping[str, Any] = {}

    def reset(self, start: int, seed: int) -> None:
        """Go to a stored start state, let the scene settle and draw it.

        seed: places the fixtures, which a start state does not hold.
        """
        env = self._env
        self._open_shutters(wanted=False)
        with numpy_seed(seed), contextlib.redirect_stdout(sys.stderr):
            env.reset()
        # A hand remembers its last command through a soft reset.
        env.robots[0].gripper.current_action = np.zeros(env.robots[0].gripper.dof)
        env.set_init_state(self._starts[start])
        for left in reversed(range(SETTLING_STEPS)):
            self.step(_STILL, draw=left == 0)

    def step(self, command: Float64Array, *, draw: bool) -> None:
        """One control step of 50 ms; command (7,): LIBERO's own, gripper -1 open, +1 closed."""
        self._open_shutters(wanted=draw)
        self._seen = self._env.step(command)[0]

    def draw(self) -> None:
        """Draw now, where the last step was not drawn but turned out to be the last."""
        self._open_shutters(wanted=True)
        self._seen = {
            **self._seen,
            **{
                f"{CAMERAS[name]}_image": shutter({})
                for name, shutter in zip(self._cameras, self._shutters, strict=True)
            },
        }

    def succeeded(self) -> bool:
        """Whether LIBERO's goal holds now."""
        return bool(self._env.check_success())

    def images(self) -> dict[str, Uint8Array]:
        """Give the pictures of the last drawn step, upright, each (px, px, 3) uint8."""
        raw = {name: self._seen[f"{CAMERAS[name]}_image"] for name in self._cameras}
        return {name: np.ascontiguousarray(image[::-1, ::-1]) for name, image in raw.items()}

    def proprio(self) -> Float32Array:
        """(8,) float32: tool position m, axis-angle rad, the two finger positions m."""
        seen = self._seen
        axis_angle = _axis_angle(seen["robot0_eef_quat"])
        parts = (seen["robot0_eef_pos"], axis_angle, seen["robot0_gripper_qpos"])
        return np.concatenate(parts).astype(np.float32)

    def state(self) -> Float64Array:
        """(1 + nq + nv,) time, positions and velocities of the simulation."""
        return np.array(self._env.get_sim_state(), dtype=np.float64)

    def goal(self) -> tuple[tuple[str, ...], ...]:
        """Give what must hold: ("in", thing, region), ("on", thing, place) and the like."""
        return tuple(tuple(part) for part in self._env.env.parsed_problem["goal_state"])

    def movables(self) -> tuple[str, ...]:
        """Names of the things that can be moved."""
        return tuple(self._env.env.objects_dict)

    def fixtures(self) -> tuple[str, ...]:
        """Names of the furniture."""
        return tuple(self._env.env.fixtures_dict)

    def tool(self) -> Pose:
        """Pose of the point between the fingertips; its z axis points out of the hand."""
        data = self._env.sim.data
        site = self._env.robots[0].eef_site_id
        return Pose(data.site_xpos[site].copy(), data.site_xmat[site].reshape(3, 3).copy())

    def base(self) -> Float64Array:
        """(3,) m, where the arm stands."""
        data, model = self._env.sim.data, self._env.sim.model
        return np.array(data.body_xpos[model.body_name2id("robot0_base")])

    def place(self, name: str) -> Float64Array:
        """(3,) m, centre of a movable thing, of furniture or of a region of either."""
        env = self._env.env
        if name in env.obj_body_id:
            return np.array(env.sim.data.body_xpos[env.obj_body_id[name]])
        return np.array(env.sim.data.site_xpos[env.sim.model.site_name2id(name)])

    def surface(self, name: str) -> Float64Array:
        """(n, 3) m: points spread over the collision boxes of a thing, furniture included."""
        env = self._env.env
        model, data = env.sim.model._model, env.sim.data._data
        root = env.obj_body_id[name]
        wanted = (model.body_rootid[model.geom_bodyid] == model.body_rootid[root]) & (
            _under(model, root)[model.geom_bodyid]
        )
        solid = wanted & (model.geom_contype > 0) & (model.geom_group == 0)
        clouds = [
            data.geom_xpos[geom]
            + (_half_extents(model, int(geom)) * _LATTICE) @ data.geom_xmat[geom].reshape(3, 3).T
            for geom in np.flatnonzero(solid)
        ]
        return np.concatenate(clouds) if clouds else np.empty((0, 3))

    def close(self) -> None:
        """Free the simulation and what draws it."""
        self._env.close()

    def _open_shutters(self, *, wanted: bool) -> None:
        for shutter in self._shutters:
            shutter.open = wanted


class _Shutter:
    """Keeps a camera's clock as LIBERO runs it, and draws only when a picture is wanted.

    Where a step draws, the picture is the very one LIBERO's own environment would give.
    """

    def __init__(self, camera: Any) -> None:  # noqa: ANN401
        self.open = True
        self._draw = camera._sensor
        self._last: Uint8Array | None = None
        self.__modality__ = self._draw.__modality__
        camera.set_sensor(self)

    def __call__(self, cache: dict[str, Any]) -> Uint8Array:
        if self.open or self._last is None:
            self._last = np.array(self._draw(cache))
        return self._last


_LATTICE = np.stack(np.meshgrid(*[np.linspace(-1, 1, 5)] * 3), axis=-1).reshape(-1, 3)


def _half_extents(model: Any, geom: int) -> Float64Array:  # noqa: ANN401
    size = np.array(model.geom_size[geom])
    if model.geom_type[geom] in (3, 5):  # capsule and cylinder: radius and half length
        return np.array([size[0], size[0], size[1]])
    if model.geom_type[geom] == 2:  # sphere
        return np.full(3, size[0])
    return size


def _under(model: Any, root: int) -> NDArray[np.bool_]:  # noqa: ANN401
    found = np.zeros(model.nbody, dtype=bool)
    found[root] = True
    for body in range(root + 1, model.nbody):  # a parent comes before its children
        found[body] = found[model.body_parentid[body]]
    return found


def _axis_angle(quaternion: Float64Array) -> Float64Array:
    # As LIBERO's evaluations have it: 2 acos(w) in [0, 2 pi], never folded to the shorter way.
    w = float(np.clip(quaternion[3], -1.0, 1.0))
    length = np.sqrt(1.0 - w * w)
    if np.isclose(length, 0.0):
        return np.zeros(3)
    return np.asarray(quaternion[:3] * 2.0 * np.arccos(w) / length)
