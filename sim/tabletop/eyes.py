"""What the cameras see, drawn off screen."""

from __future__ import annotations

import atexit
import importlib
import weakref

import mujoco
import numpy as np

from agent.episode import Uint8Array
from agent.errors import UsageError


class Eyes:
    """Draws square pictures of a world; holds a drawing context until `close`."""

    def __init__(self, model: mujoco.MjModel, image_px: int, render: str) -> None:
        try:
            # Not mujoco.Renderer: it takes its way of drawing from the environment, once and for
            # all when mujoco is first imported.
            backend = importlib.import_module(f"mujoco.{render}")
            self._context = backend.GLContext(image_px, image_px)
            self._context.make_current()
        except (ImportError, AttributeError, RuntimeError) as error:
            raise UsageError(
                f"pictures drawn by {render!r} wanted, found {error}; "
                "try robot.render = 'egl' or 'osmesa'"
            ) from error
        self._model = model
        self._options = mujoco.MjvOption()
        self._scene = mujoco.MjvScene(model, maxgeom=200)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = 0
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SKYBOX] = 0
        self._drawing = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_50)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._drawing)
        self._frame = mujoco.MjrRect(0, 0, image_px, image_px)
        self._pixels = np.zeros((image_px, image_px, 3), np.uint8)
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._open = True
        # Contexts left to the interpreter's end are freed after GL is gone, and complain.
        atexit.register(_close, weakref.ref(self))

    def look(self, data: mujoco.MjData, camera: str) -> Uint8Array:
        """Draw one picture (h, w, 3), upright RGB."""
        self._context.make_current()
        self._camera.fixedcamid = self._model.camera(camera).id
        mujoco.mjv_updateScene(
            self._model,
            data,
            self._options,
            None,
            self._camera,
            mujoco.mjtCatBit.mjCAT_ALL,
            self._scene,
        )
        mujoco.mjr_render(self._frame, self._scene, self._drawing)
        mujoco.mjr_readPixels(self._pixels, None, self._frame, self._drawing)
        return np.ascontiguousarray(self._pixels[::-1])

    def close(self) -> None:
        """Let go of the drawing context. May be called twice."""
        if self._open:
            self._open = False
            self._context.make_current()
            self._drawing.free()
            self._context.free()


def _close(reference: weakref.ref[Eyes]) -> None:
    eyes = reference()
    if eyes is not None:
        eyes.close()
