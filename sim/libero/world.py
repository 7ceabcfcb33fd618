"""One LIBERO environment: built for a task, set to a start state, stepped, drawn, looked into."""

from __future__ import annotations

import contextlib
import importlib
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import mujoco
import numpy as np
from numpy.typing import NDArray

from agent.episode import Float32Array, Uint8Array
from agent.errors import DataError
from sim.libero.extras import choose_extras, extra_names, widened, with_extras
from sim.libero.eyes import Eyes
from sim.libero.install import assets_in_use, load_libero, numpy_seed
from sim.libero.look import CAMERAS, Look
from sim.libero.matter import roughen, weigh
from sim.libero.pins import Pin
from sim.libero.shifts import Shifts
from sim.libero.starts import read_starts
from sim.libero.stepper import Kept, Stepper
from sim.libero.surfaces import dress, light_up, turn_hues
from sim.libero.tasks import FRESH, SETTLING_STEPS
from sim.shifting.cameras import moved_cameras

Float64Array = NDArray[np.float64]

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")
_REMEMBERED = 256  # start states, and placements of the furniture
_STANDING_STEPS = 60  # until even what jumped stands
_STILL = np.array([0, 0, 0, 0, 0, 0, -1.0])


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a thing is in the world: position (3,) m and rotation (3, 3)."""

    position: Float64Array
    rotation: Float64Array


class World:
    """LIBERO's own scene and goal for one task, with a shorter way to step and to draw it.

    cameras: our names of those that can be drawn. shifts: what is unlike LIBERO, for good.
    """

    def __init__(
        self,
        pin: Pin,
        cameras: tuple[str, ...],
        look: Look,
        assets: str,
        shifts: Shifts = Shifts(),  # noqa: B008  frozen
    ) -> None:
        bddl = pin.bddl()
        self.pin, self._shifts = pin, shifts
        kinds = choose_extras(bddl.read_text(), pin.name, round(shifts.distractors))
        self.extras = extra_names(kinds)
        self._starts = read_starts(pin.starts())
        self._cameras, self._drawing = cameras, look
        load_libero(assets, look.gl)
        made: Any = importlib.import_module("libero.libero.envs.env_wrapper")
        try:
            talk = contextlib.redirect_stdout(sys.stderr)
            with talk, numpy_seed(0), _task_file(bddl, kinds) as file:
                self._env = made.ControlEnv(
                    bddl_file_name=str(file),
                    use_camera_obs=False,
                    has_offscreen_renderer=False,
                    # The model of a task never changes: only the state goes back at a reset.
                    hard_reset=False,
                    ignore_done=True,
                )
                self._env.reset()
        except (OSError, ValueError) as error:  # MuJoCo has ValueError for a mesh it cannot open
            raise DataError(f"{pin.name} cannot be built from these assets: {error}") from error
        env = self._env.env
        self._stepper = Stepper(env)
        self._shift(shifts)
        # A stove's burner glows: few scenes hold what changes its looks.
        self._glows = bool(env.tracking_object_states_change or env.visualization_sites_list)
        self._eyes: Eyes | None = None
        self._compiled = _compiled(env)
        self._furnished: dict[int, tuple[Float64Array, Float64Array, Float64Array]] = {}
        self._settled: dict[tuple[int, int], Kept] = {}

    def reset(self, start: int, seed: int) -> None:
        """Go to a start state and let the scene settle.

        start: of a stored state, or FRESH and above, from which LIBERO draws things and furniture.
        seed: places the furniture, which a stored state does not hold.
        """
        stored = start < FRESH
        seed = seed if stored else start
        drawn = self._furnish(seed)
        if (start, seed) not in self._settled:
            self._begin(self._starts[start] if stored else drawn, (seed, start))
            self._settle(SETTLING_STEPS)
            _remember(self._settled, (start, seed), self._stepper.keep())
        # A state that was settled before and one that was settled now go on in the same way.
        self._stepper.resume(self._settled[start, seed])
        self._glow()

    def step(self, command: Float64Array) -> None:
        """One control step of 50 ms; command (7,): LIBERO's own, gripper -1 open, +1 closed."""
        self._stepper.step(command)
        self._glow()

    def succeeded(self) -> bool:
        """Whether LIBERO's goal holds now."""
        return bool(self._env.check_success())

    def images(self) -> dict[str, Uint8Array]:
        """Draw what LIBERO's cameras caught in the last step, upright, each (px, px, 3) uint8."""
        if not self._cameras:
            return {}
        if self._eyes is None:
            self._eyes = Eyes(self._stepper.model, self._drawing)
        self._eyes.turn_to(self._stepper.seen)
        return {name: self._eyes.look(CAMERAS[name]) for name in self._cameras}

    def proprio(self) -> Float32Array:
        """(8,) float32: tool position m, axis-angle rad, the two finger positions m."""
        seen = self._stepper.seen
        return np.concatenate([seen.tool, _axis_angle(seen.turn), seen.fingers]).astype(np.float32)

    def state(self) -> Float64Array:
        """(1 + nq + nv,) time, positions and velocities of the simulation."""
        return np.array(self._env.get_sim_state(), dtype=np.float64)

    def goal(self) -> tuple[tuple[str, ...], ...]:
        """Give what must hold: ("in", thing, region), ("on", thing, place) and the like."""
        return tuple(tuple(part) for part in self._env.env.parsed_problem["goal_state"])

    def official(self) -> Any:  # noqa: ANN401 - LIBERO has no types
        """LIBERO's own environment, for those that look where no other method does."""
        return self._env

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

    def close(self) -> None:
        """Free the simulation and what draws it."""
        if self._eyes is not None:
            self._eyes.close()
        self._env.close()

    def _shift(self, shifts: Shifts) -> None:
        """Change the model, before anything is drawn of it."""
        model, env = self._stepper.model, self._env.env
        things = [env.obj_body_id[name] for name in self.movables()]
        self._stepper.reach = abs(shifts.gripper)
        roughen(model, shifts.friction)
        weigh(model, things, shifts.mass)
        moved_cameras(model, shifts, CAMERAS)
        model.camera(CAMERAS["agentview"]).pos[1] += shifts.camera
        light_up(model, shifts.light)
        turn_hues(model, things, shifts.colour)
        dress(model, round(shifts.texture), assets_in_use())

    def _begin(self, state: Float64Array, seeds: tuple[int, int]) -> None:
        """Go to a state, with what is shifted in it. seeds: of where things then stand."""
        joints = tuple(self._env.env.objects_dict[name].joints[-1] for name in self.extras)
        state = widened(self._stepper.model, state, joints)
        self._stepper.place(state)
        if self._shifts.rearrange:
            from sim.libero.arranging import arrange  # it looks at a whole World

            # Stored states hold things above where they stand, or in the table: some jump.
            self._settle(_STANDING_STEPS)
            rng = np.random.default_rng(seeds)
            self._stepper.place(arrange(self, state, self._shifts, rng))

    def _settle(self, steps: int) -> None:
        self._glow()
        for _ in range(steps):
            self.step(_STILL)

    def _furnish(self, seed: int) -> Float64Array:
        """Put the furniture where LIBERO would at a reset with this seed; the state it draws."""
        model = self._stepper.model
        if seed not in self._furnished:
            # LIBERO puts things on furniture as if that stood where it was compiled.
            model.body_pos[:], model.body_quat[:] = self._compiled
            with numpy_seed(seed), contextlib.redirect_stdout(sys.stderr):
                self._env.reset()
            placed = (model.body_pos.copy(), model.body_quat.copy(), self.state())
            _remember(self._furnished, seed, placed)
        model.body_pos[:], model.body_quat[:], drawn = self._furnished[seed]
        return drawn

    def _glow(self) -> None:
        if self._glows:
            self._env._post_process()


@contextlib.contextmanager
def _task_file(bddl: Path, kinds: tuple[str, ...]) -> Iterator[Path]:
    """The pinned file itself, or while LIBERO reads it one with further things in it."""
    if not kinds:
        yield bddl
        return
    with tempfile.TemporaryDirectory(prefix="vlarl-libero-") as folder:
        file = Path(folder) / bddl.name
        file.write_text(with_extras(bddl.read_text(), kinds))
        yield file


def _compiled(env: Any) -> tuple[Float64Array, Float64Array]:  # noqa: ANN401 - LIBERO has no types
    """Where all bodies stand before the first reset: positions (n, 3) and quaternions (n, 4)."""
    model = mujoco.MjModel.from_xml_string(env.model.get_xml())
    return model.body_pos, model.body_quat


def _remember(known: dict[_Key, _Value], key: _Key, value: _Value) -> None:
    if len(known) >= _REMEMBERED:
        known.pop(next(iter(known)))
    known[key] = value


def _axis_angle(quaternion: Float64Array) -> Float64Array:
    # As LIBERO's evaluations have it: 2 acos(w) in [0, 2 pi], never folded to the shorter way.
    w = float(np.clip(quaternion[0], -1.0, 1.0))
    length = np.sqrt(1.0 - w * w)
    if np.isclose(length, 0.0):
        return np.zeros(3)
    return np.asarray(quaternion[1:] * 2.0 * np.arccos(w) / length)
