"""Pictures of a LIBERO scene: as LIBERO's own environment draws them, or fast."""

from __future__ import annotations

import atexit
import contextlib
import importlib
import weakref
from typing import TYPE_CHECKING

import mujoco
import numpy as np
from numpy.typing import NDArray

from agent.episode import Uint8Array
from agent.errors import UsageError
from sim.libero.look import Look
from sim.libero.thin import thinned

if TYPE_CHECKING:
    from sim.libero.stepper import Seen

Float64Array = NDArray[np.float64]

_WIDTH, _HEIGHT = 640, 480  # robosuite's buffer
_HIDDEN_GROUP = 5  # of geoms; shown by nobody


class Eyes:
    """Draws square pictures, upright; holds a drawing context until `close`."""

    def __init__(self, model: mujoco.MjModel, look: Look) -> None:
        px, gl = look.px, look.gl
        self._model = model
        fast = look.drawn == "fast"
        wide, high = (px, px) if fast else (max(px, _WIDTH), max(px, _HEIGHT))
        try:
            self._context = importlib.import_module(f"mujoco.{gl}").GLContext(wide, high)
            self._context.make_current()
        except (ImportError, AttributeError, RuntimeError) as error:
            raise UsageError(
                f"pictures drawn by {gl!r} wanted, found {error}; try robot.render = 'osmesa'"
            ) from error
        self._data = mujoco.MjData(model)  # a moment that was seen, while the world goes on
        self._options = mujoco.MjvOption()
        self._options.geomgroup[0] = 0  # what things collide with
        self._scene = mujoco.MjvScene(model, maxgeom=1000)
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        samples = int(model.vis.quality.offsamples)
        model.vis.global_.offwidth, model.vis.global_.offheight = wide, high
        if fast:
            self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = 0
            self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
            model.vis.quality.offsamples = 0
        with thinned(model) if fast else contextlib.nullcontext():
            self._drawing = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_150)
        model.vis.quality.offsamples = samples
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._drawing)
        self._frame = mujoco.MjrRect(0, 0, px, px)
        self._pixels = np.zeros((px, px, 3), np.uint8)
        self._mirrors = np.flatnonzero(_mirrors(model) & (not fast))
        self._open = True
        # Contexts left to the interpreter's end are freed after GL is gone, and complain.
        atexit.register(_close, weakref.ref(self))

    def turn_to(self, seen: Seen) -> None:
        """Bring to mind the moment that the next pictures show."""
        model, data = self._model, self._data
        data.qpos[:] = seen.qpos
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mj_camlight(model, data)
        self._sites = seen.sites

    def look(self, camera: str) -> Uint8Array:
        """Draw one picture (px, px, 3), upright RGB, of the moment turned to."""
        model, data = self._model, self._data
        self._context.make_current()
        number = self._camera.fixedcamid = model.camera(camera).id
        sites, groups = model.site_rgba[:, 3].copy(), model.geom_group.copy()
        model.site_rgba[:, 3] = self._sites
        model.geom_group[~_in_sight(model, data, number, self._mirrors)] = _HIDDEN_GROUP
        mujoco.mjv_updateScene(
            model, data, self._options, None, self._camera, mujoco.mjtCatBit.mjCAT_ALL, self._scene
        )
        model.site_rgba[:, 3], model.geom_group[:] = sites, groups
        mujoco.mjr_render(self._frame, self._scene, self._drawing)
        mujoco.mjr_readPixels(self._pixels, None, self._frame, self._drawing)
        # OpenGL counts rows from below and LIBERO leaves them so; those who trained on LIBERO turn
        # its pictures by half a turn, which is upright with left and right exchanged.
        return np.ascontiguousarray(self._pixels[::-1, ::-1])

    def close(self) -> None:
        """Let go of the drawing context. May be called twice."""
        if self._open:
            self._open = False
            self._context.make_current()
            self._drawing.free()
            self._context.free()


def _mirrors(model: mujoco.MjModel) -> NDArray[np.bool_]:
    """(ngeom,) True for what MuJoCo draws as a mirror: planes and boxes that reflect."""
    flat = np.isin(
        model.geom_type, [int(mujoco.mjtGeom.mjGEOM_PLANE), int(mujoco.mjtGeom.mjGEOM_BOX)]
    )
    shiny = model.mat_reflectance[model.geom_matid] > 0
    return np.asarray(flat & shiny & (model.geom_matid >= 0))


def _in_sight(
    model: mujoco.MjModel, data: mujoco.MjData, camera: int, mirrors: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """(ngeom,) False for what a camera sees neither directly nor in one of the mirrors it sees."""
    seen = _within(model, data, camera, data.geom_xpos)
    for mirror in mirrors[seen[mirrors]]:
        normal = data.geom_xmat[mirror].reshape(3, 3)[:, 2]
        middle = data.geom_xpos[mirror]
        if model.geom_type[mirror] == int(mujoco.mjtGeom.mjGEOM_BOX):
            middle = middle + model.geom_size[mirror, 2] * normal
        behind = 2.0 * np.outer((data.geom_xpos - middle) @ normal, normal)
        seen = seen | _within(model, data, camera, data.geom_xpos - behind)
    return seen


def _within(
    model: mujoco.MjModel, data: mujoco.MjData, camera: int, middles: Float64Array
) -> NDArray[np.bool_]:
    """(ngeom,) False where a geom with its middle there would be beside or behind the view."""
    axes = data.cam_xmat[camera].reshape(3, 3)
    right, up, back = ((middles - data.cam_xpos[camera]) @ axes).T
    half = np.deg2rad(model.cam_fovy[camera]) / 2
    radius = model.geom_rbound
    # Beyond a plane of the view by more than its own radius; a picture is as wide as it is high.
    beside = np.maximum(abs(right), abs(up)) * np.cos(half) + back * np.sin(half) > radius
    # An endless plane has no radius.
    return np.asarray((radius == 0) | ~(beside | (back > radius)))


def _close(reference: weakref.ref[Eyes]) -> None:
    eyes = reference()
    if eyes is not None:
        eyes.close()
